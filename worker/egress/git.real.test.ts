/**
 * Real git through the real handlers: a client whose only way to `git.example.com` is a sandbox's way out, and `git
 * http-backend` behind it, which asks for a login and writes down all it was sent.
 */
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../keys/secret.ts";
import type { EgressCall, GitAccess } from "../session/api.ts";
import { decideEgress } from "./policy.ts";
import { relayOutbound } from "./outbound.ts";
import type { EgressCaller, EgressPorts, GitLogin } from "./ports.ts";
import { verdictCache } from "./verdict-cache.ts";

const HOST = "git.example.com";
const CANARY = `ghp_canary_${randomBytes(12).toString("hex")}`;
const BRANCH = "ai-dev/3f9k2m1x";
const LARGE_BYTES = 16 * 1_048_576;
const CALLER: EgressCaller = { sessionId: "ses_test", incarnation: 3 };
const execute = promisify(execFile);

interface Seen {
  method: string;
  url: string;
  authorization: string | undefined;
  encoding: string | undefined;
}

let folder: string;
let upstream: Server;
let sandbox: Server;
let seen: Seen[];
let logged: string[];
/** Bytes that the handler had taken out of a request and not yet handed to the one it sends, at most. */
let mostHeld = 0;
let held = 0;
let login: GitLogin | null;
let level: "none" | "custom";

const portOf = (server: Server) => {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};
const listen = (server: Server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
/** One kind of stream with two names: the Worker's types and Node's. */
const fromNode = (stream: Readable) => Readable.toWeb(stream) as unknown as ReadableStream<Uint8Array>;
const toNode = (stream: ReadableStream<Uint8Array>) => Readable.fromWeb(stream as unknown as Parameters<typeof Readable.fromWeb>[0]);
/** The Worker's variables are in the type of every environment; a child process has its own. */
const environment = (own: Record<string, string>) => own as unknown as NodeJS.ProcessEnv;
const at = (name: string) => path.join(folder, name);

/** git, with nothing of this computer's own configuration, and the host's name leading to the sandbox's way out. */
async function git(cwd: string, ...args: string[]) {
  const way = `http://127.0.0.1:${portOf(sandbox)}/`;
  const env = environment({
    PATH: process.env["PATH"] ?? "",
    HOME: at("home"),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C",
    GIT_CONFIG_COUNT: "3",
    GIT_CONFIG_KEY_0: `url.${way}.insteadOf`,
    GIT_CONFIG_VALUE_0: `https://${HOST}/`,
    GIT_CONFIG_KEY_1: "user.name",
    GIT_CONFIG_VALUE_1: "Agent",
    GIT_CONFIG_KEY_2: "user.email",
    GIT_CONFIG_VALUE_2: "agent@example.com",
  });
  try {
    const { stdout, stderr } = await execute("git", args, { cwd, env, encoding: "utf8", maxBuffer: 64 * 1_048_576 });
    return { ok: true, text: stdout + stderr };
  } catch (error) {
    return { ok: false, text: String((error as { stderr?: string }).stderr) };
  }
}

const ok = async (cwd: string, ...args: string[]) => {
  const result = await git(cwd, ...args);
  if (!result.ok) throw new Error(`git ${args.join(" ")}: ${result.text}`);
  return result.text;
};
const refused = async (cwd: string, ...args: string[]) => {
  const result = await git(cwd, ...args);
  expect(result.ok, result.text).toBe(false);
  return result.text;
};
const headOf = async (repository: string, ref: string) =>
  (await execute("git", ["-C", at(`served/octo/${repository}.git`), "for-each-ref", "--format=%(objectname)", ref])).stdout.trim();

/** The host: `octo/repo` asks for the login, `octo/other` is open to readers, `octo/moved` sends people elsewhere. */
function serve(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://x");
  seen.push({
    method: request.method ?? "",
    url: request.url ?? "",
    authorization: request.headers.authorization,
    encoding: request.headers["content-encoding"],
  });
  const isKnown = request.headers.authorization === `Basic ${Buffer.from(`x-access-token:${CANARY}`).toString("base64")}`;
  if (url.pathname.startsWith("/octo/repo") && !isKnown) {
    response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end("no");
    return;
  }
  if (url.pathname.startsWith("/octo/moved")) {
    response.writeHead(302, { location: `https://evil.example.net${request.url}`, "set-cookie": "a=b" }).end();
    return;
  }
  const child = spawn("git", ["http-backend"], {
    env: environment({
      PATH: process.env["PATH"] ?? "",
      GIT_PROJECT_ROOT: at("served"),
      GIT_HTTP_EXPORT_ALL: "1",
      REQUEST_METHOD: request.method ?? "GET",
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_USER: isKnown ? "owner" : "",
      ...(request.headers["content-length"] === undefined ? {} : { CONTENT_LENGTH: request.headers["content-length"] }),
    }),
  });
  request.pipe(child.stdin);
  child.stdin.on("error", () => {});
  let head = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (response.headersSent) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const fields: [string, string][] = head
      .subarray(0, end)
      .toString()
      .split("\r\n")
      .map((line: string) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]);
    const status = Number(fields.find(([name]) => name === "Status")?.[1]?.slice(0, 3) ?? 200);
    response.writeHead(status, fields.filter(([name]) => name !== "Status").flat());
    response.write(head.subarray(end + 4));
  });
  child.stdout.on("end", () => response.end());
}

/** Counts what is read through it, and takes nothing that nobody has asked for. */
const counting = (count: (bytes: number) => void) =>
  new TransformStream<Uint8Array, Uint8Array>(
    {
      transform(chunk, controller) {
        count(chunk.byteLength);
        controller.enqueue(chunk);
      },
    },
    undefined,
    { highWaterMark: 0 },
  );

/** What the Worker's fetch is here: to the host above, streamed, answers as they come. */
const toUpstream = (outgoing: Request) =>
  new Promise<Response>((resolve, reject) => {
    const { pathname, search } = new URL(outgoing.url);
    const options = {
      port: portOf(upstream),
      path: pathname + search,
      method: outgoing.method,
      headers: Object.fromEntries(outgoing.headers),
    };
    const sending = httpRequest(options, (answer) => {
      const headers = new Headers();
      for (const [name, value] of Object.entries(answer.headers)) headers.set(name, String(value));
      resolve(new Response(fromNode(answer), { status: answer.statusCode ?? 500, headers }));
    });
    sending.on("error", reject);
    if (outgoing.body === null) sending.end();
    else toNode(outgoing.body.pipeThrough(counting((bytes) => (held -= bytes)))).pipe(sending);
  });

const ports = (): EgressPorts => ({
  session: {
    authorizeEgress: (call: EgressCall) => Promise.resolve(decideEgress({ level, hosts: [HOST] }, [], call)),
    gitAccess: ({ incarnation, url }): Promise<GitAccess | null> =>
      Promise.resolve(
        incarnation === CALLER.incarnation && /\/octo\/(?:repo|moved)$/.test(url)
          ? { ownerId: "usr", repositoryUrl: `${url}.git`, branchPattern: `${BRANCH}*` }
          : null,
      ),
  },
  gitLogin: (_, host) => Promise.resolve(host === HOST ? login : null),
  fetch: toUpstream,
  ownHosts: [],
  now: () => 0,
  log: {
    info: (event, fields) => void logged.push(JSON.stringify({ event, ...fields })),
    warn: (event, fields) => void logged.push(JSON.stringify({ event, ...fields })),
    error: (event, fields) => void logged.push(JSON.stringify({ event, ...fields })),
  },
});

/** The sandbox's way out, as the adapter's catch-all handler calls it. */
async function wayOut(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const taken = counting((bytes) => {
    held += bytes;
    mostHeld = Math.max(mostHeld, held);
  });
  const init: RequestInit & { duplex: "half" } = {
    method: incoming.method ?? "GET",
    headers: Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
    body: incoming.method === "POST" ? fromNode(incoming).pipeThrough(taken) : null,
    duplex: "half",
  };
  const answer = await relayOutbound(new Request(`https://${HOST}${incoming.url}`, init), CALLER, ports(), verdictCache());
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body === null) response.end();
  else toNode(answer.body).pipe(response);
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "git-egress-"));
  for (const name of ["home", "served/octo"]) mkdirSync(at(name), { recursive: true });
  upstream = createServer(serve);
  sandbox = createServer((incoming, response) => void wayOut(incoming, response).catch(() => response.destroy()));
  await Promise.all([listen(upstream), listen(sandbox)]);
  mkdirSync(at("seed"));
  await ok(at("seed"), "init", "-q", "-b", "main");
  writeFileSync(at("seed/README.md"), "# Hello\n");
  await ok(at("seed"), "add", ".");
  await ok(at("seed"), "commit", "-qm", "First");
  for (const name of ["repo", "other"]) {
    await ok(folder, "clone", "-q", "--bare", "seed", `served/octo/${name}.git`);
    await ok(at(`served/octo/${name}.git`), "config", "http.receivepack", "true");
  }
  seen = [];
  login = { username: "x-access-token", secret: new Secret(CANARY) };
  level = "none";
  logged = [];
  await ok(folder, "clone", "-q", `https://${HOST}/octo/repo.git`, "work");
}, 60_000);

afterAll(() => {
  upstream.close();
  sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  seen = [];
  logged = [];
  login = { username: "x-access-token", secret: new Secret(CANARY) };
  level = "none";
  held = 0;
  mostHeld = 0;
});

const commit = async (name: string, content: string | Uint8Array = name) => {
  writeFileSync(at(`work/${name}`), content);
  await ok(at("work"), "add", ".");
  await ok(at("work"), "commit", "-qm", name);
  return (await ok(at("work"), "rev-parse", "HEAD")).trim();
};

describe("the session's own repository", () => {
  it("[GT2] is cloned and fetched with the owner's login, also where the network is closed", async () => {
    await ok(folder, "clone", "-q", `https://${HOST}/octo/repo.git`, "again");
    expect(readFileSync(at("again/README.md"), "utf8")).toBe("# Hello\n");
    await ok(at("again"), "fetch", "-q");
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.every(({ authorization }) => authorization?.startsWith("Basic "))).toBe(true);
  });

  it("[GT1] takes a push to the session's branches", async () => {
    const head = await commit("one.txt");
    await ok(at("work"), "push", "-q", "origin", `HEAD:refs/heads/${BRANCH}`, `HEAD:refs/heads/${BRANCH}-more`);
    expect(await headOf("repo", `refs/heads/${BRANCH}`)).toBe(head);
    expect(await headOf("repo", `refs/heads/${BRANCH}-more`)).toBe(head);
  });

  it("[GT1] refuses a push to any other branch, in git's own words, and sends nothing of it", async () => {
    const before = await headOf("repo", "refs/heads/main");
    await commit("two.txt");
    for (const args of [["HEAD:main"], ["--force", "HEAD:main"], ["HEAD:refs/tags/v1"], [`HEAD:refs/heads/${BRANCH}`, "HEAD:main"]]) {
      const said = await refused(at("work"), "push", "origin", ...args);
      expect(said).toContain(`this session may push to ${BRANCH}* only`);
      expect(said).toContain("[remote rejected]");
    }
    expect(await headOf("repo", "refs/heads/main")).toBe(before);
    expect(await headOf("repo", "refs/tags/v1")).toBe("");
    expect(seen.filter(({ method }) => method === "POST")).toEqual([]);
  });

  it("[GT1] refuses to delete a branch, its own too", async () => {
    await ok(at("work"), "push", "-q", "origin", `HEAD:refs/heads/${BRANCH}-keep`);
    expect(await refused(at("work"), "push", "origin", `:refs/heads/${BRANCH}-keep`)).toContain("may not delete branches");
    expect(await refused(at("work"), "push", "origin", ":main")).toContain(`${BRANCH}* only`);
    expect(await headOf("repo", `refs/heads/${BRANCH}-keep`)).not.toBe("");
    expect(await headOf("repo", "refs/heads/main")).not.toBe("");
  });

  it("[GT1] refuses push options and signed pushes", async () => {
    await ok(at("served/octo/repo.git"), "config", "receive.advertisePushOptions", "true");
    expect(await refused(at("work"), "push", "-o", "ci.skip", "origin", `HEAD:refs/heads/${BRANCH}-options`)).toContain("push options");
    expect(await headOf("repo", `refs/heads/${BRANCH}-options`)).toBe("");
  });

  it("streams large packs both ways, holding little", async () => {
    const head = await commit("large.bin", randomBytes(LARGE_BYTES));
    await ok(at("work"), "push", "-q", "origin", `HEAD:refs/heads/${BRANCH}-large`);
    expect(await headOf("repo", `refs/heads/${BRANCH}-large`)).toBe(head);
    expect(mostHeld).toBeLessThan(LARGE_BYTES / 16);
    await ok(folder, "clone", "-q", "--branch", `${BRANCH}-large`, `https://${HOST}/octo/repo.git`, "large");
    expect(statSync(at("large/large.bin")).size).toBe(LARGE_BYTES);
    // A refused one ends too, although git sends it whole before it listens.
    expect(await refused(at("work"), "push", "origin", "HEAD:main")).toContain("[remote rejected]");
  }, 60_000);

  it("passes on what git compresses", async () => {
    for (let n = 0; n < 70; n += 1) await ok(at("work"), "commit", "-q", "--allow-empty", "-m", `${n}`);
    await ok(at("seed"), "commit", "-q", "--allow-empty", "-m", "Second");
    await ok(at("seed"), "push", "-q", at("served/octo/repo.git"), "main");
    await ok(at("work"), "fetch", "-q", "origin");
    expect(seen.map(({ encoding }) => encoding)).toContain("gzip");
    expect((await ok(at("work"), "rev-parse", "origin/main")).trim()).toBe(await headOf("repo", "refs/heads/main"));
  });

  it("says what is missing when the host asks for a login", async () => {
    login = null;
    expect(await refused(folder, "clone", `https://${HOST}/octo/repo.git`, "none")).toContain("Settings, Git");
    login = { username: "x-access-token", secret: new Secret("wrong") };
    expect(await refused(folder, "clone", `https://${HOST}/octo/repo.git`, "none")).toContain("refused the stored login");
  });
});

describe("other repositories", () => {
  it("[GT2] are read without the login, where the network setting lets them", async () => {
    expect(await refused(folder, "clone", `https://${HOST}/octo/other.git`, "other")).toContain(
      "blocked by this session's network setting",
    );
    expect(seen).toEqual([]);
    level = "custom";
    await ok(folder, "clone", "-q", `https://${HOST}/octo/other.git`, "other");
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it("[GT1] are never pushed to, also with a login of the agent's own", async () => {
    level = "custom";
    const before = await headOf("other", "refs/heads/main");
    expect(await refused(at("work"), "push", `https://${HOST}/octo/other.git`, "HEAD:main")).toContain(
      "only to this session's own repository",
    );
    const own = "http.extraHeader=Authorization: Basic YTpi";
    expect(await refused(at("work"), "-c", own, "push", `https://${HOST}/octo/other.git`, `HEAD:refs/heads/${BRANCH}`)).toContain(
      "only to this session's own repository",
    );
    expect(await headOf("other", "refs/heads/main")).toBe(before);
    expect(seen).toEqual([]);
  });
});

describe("[GT2] the owner's login", () => {
  it("takes the place of whatever the agent sends, and is not sent on by a redirect", async () => {
    await ok(at("work"), "-c", "http.extraHeader=Authorization: Basic YTpi", "fetch", "-q");
    expect(seen.map(({ authorization }) => authorization)).not.toContain("Basic YTpi");
    const answer = await relayOutbound(
      new Request(`https://${HOST}/octo/moved/info/refs?service=git-upload-pack`),
      CALLER,
      ports(),
      verdictCache(),
    );
    expect([answer.status, answer.headers.get("location")]).toEqual([
      302,
      "https://evil.example.net/octo/moved/info/refs?service=git-upload-pack",
    ]);
    expect(answer.headers.has("set-cookie")).toBe(false);
    expect(seen.at(-1)?.url).toContain("/octo/moved");
  });

  it("is nowhere in the sandbox, in what the agent is told, or in a log", async () => {
    const said = [
      await ok(at("work"), "fetch", "-v"),
      await refused(at("work"), "push", "origin", "HEAD:main"),
      await ok(at("work"), "config", "--list"),
    ].join();
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => !name.startsWith("served") && statSync(at(name)).isFile())
      .map((name) => readFileSync(at(name)).toString("latin1"));
    const encoded = Buffer.from(`x-access-token:${CANARY}`).toString("base64");
    for (const secret of [CANARY, encoded]) {
      expect([said, ...logged, ...files].filter((text) => text.includes(secret))).toEqual([]);
      expect(seen.some(({ url }) => url.includes(secret))).toBe(false);
    }
    expect(seen.some(({ authorization }) => authorization === `Basic ${encoded}`)).toBe(true);
  });
});
