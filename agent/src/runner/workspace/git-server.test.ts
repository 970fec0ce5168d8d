import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFresh } from "./fresh.ts";
import { viaServer } from "./git-server.ts";

/** Nothing listens there: this machine cannot reach the repository by itself. */
const ADDRESS = "https://127.0.0.1:1/octo/repo.git";
const TOKEN = `adpl_ses_${"a".repeat(26)}_canary-canary-canary`;

let scratch: string;
let server: Server;
let origin: string;
let seen: (string | undefined)[];
let isOpen: boolean;

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "git-server-"));
  const seed = path.join(scratch, "seed");
  const git = (cwd: string, ...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Mara", "-c", "user.email=mara@example.test", ...args], { cwd });
  await mkdir(seed);
  git(seed, "init", "-q", "-b", "main");
  git(seed, "commit", "-q", "--allow-empty", "-m", "First");
  git(scratch, "clone", "-q", "--bare", "seed", "repo.git");
  git(path.join(scratch, "repo.git"), "update-server-info");
  seen = [];
  isOpen = true;
  server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    if (!isOpen) return void response.writeHead(403, { "content-type": "text/plain" }).end("No login is stored for this host.\n");
    const name = new URL(request.url ?? "/", "http://x").pathname.replace(/^\/git\/127\.0\.0\.1(?::1)?\/octo\//, "");
    readFile(path.join(scratch, name)).then(
      (content) => response.end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterEach(async () => {
  server.close();
  await rm(scratch, { recursive: true, force: true });
});

const clone = (linkToken = TOKEN, url = ADDRESS) =>
  makeFresh(
    { kind: "git", url, branch: null },
    path.join(scratch, "work"),
    path.join(scratch, "building"),
    { server: origin, sessionId: `ses_${"a".repeat(26)}`, linkToken },
    () => {},
  );

describe("a repository that this machine cannot read", () => {
  it("is cloned by way of the server; the token is in no file, and the remote is the repository itself", async () => {
    expect(await clone()).toEqual({ ok: true });
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set([`Bearer ${TOKEN}`]));
    const config = await readFile(path.join(scratch, "work/.git/config"), "utf8");
    expect(config).toContain(ADDRESS);
    const files = (await readdir(path.join(scratch, "work"), { recursive: true })).map((name) => path.join(scratch, "work", name));
    for (const file of files) if ((await stat(file)).isFile()) expect(await readFile(file, "latin1")).not.toContain("canary");
  });

  it("is cloned over https when it is named by ssh", async () => {
    expect(await clone(TOKEN, "ssh://git@127.0.0.1/octo/repo.git")).toEqual({ ok: true });
    expect(await readFile(path.join(scratch, "work/.git/config"), "utf8")).toContain("https://127.0.0.1/octo/repo.git");
  });

  it("says in the server's words why it cannot be read there either", async () => {
    isOpen = false;
    const made = await clone();
    expect(made).toEqual({
      ok: false,
      problem: expect.objectContaining({ code: "workspace_git_failed", detail: "No login is stored for this host." }),
    });
  });

  it("is not asked for at a server for which there is no token", async () => {
    expect((await clone("none")).ok).toBe(false);
    expect(seen).toEqual([]);
  });
});

it("goes by the server over https only", () => {
  for (const url of ["http://github.com/o/r", "ssh://git@github.com/o/r", "git@github.com:o/r", "/tmp/repo"])
    expect(viaServer(url, { server: "https://app.example", linkToken: TOKEN })).toBeNull();
  expect(viaServer("https://github.com/o/r", { server: "https://app.example/", linkToken: TOKEN })).toMatchObject({
    "url.https://app.example/git/.insteadOf": "https://",
  });
});
