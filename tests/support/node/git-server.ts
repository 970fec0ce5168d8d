/** A real Git repository behind plain HTTP: to read, as any static file server can offer one, or to push to as well. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import path from "node:path";

export interface GitServer {
  url: string;
  close(): void;
}

export async function serveRepository(folder: string, files: Record<string, string>): Promise<GitServer> {
  makeBare(folder, files);
  return listen((request, response) => {
    const file = path.join(folder, path.posix.normalize(new URL(request.url ?? "/", "http://x").pathname));
    try {
      response.end(readFileSync(file));
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
}

export interface PushableServer extends GitServer {
  /** Commits of a branch, newest first; empty when there is none. */
  subjects(branch: string): string[];
}

/** With git's own server behind it; anyone may push. */
export async function servePushable(folder: string, files: Record<string, string>): Promise<PushableServer> {
  const bare = makeBare(folder, files);
  execFileSync("git", ["config", "http.receivepack", "true"], { cwd: bare });
  const server = await listen((request, response) => runBackend(folder, request, response));
  return {
    ...server,
    subjects(branch) {
      const refs = execFileSync("git", ["for-each-ref", "--format=%(refname)"], { cwd: bare, encoding: "utf8" }).split("\n");
      if (!refs.includes(`refs/heads/${branch}`)) return [];
      return execFileSync("git", ["log", "--format=%s", branch], { cwd: bare, encoding: "utf8" }).trim().split("\n");
    },
  };
}

function makeBare(folder: string, files: Record<string, string>): string {
  const work = path.join(folder, "work");
  mkdirSync(work, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(work, name)), { recursive: true });
    writeFileSync(path.join(work, name), content);
  }
  const git = (cwd: string, ...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Mara", "-c", "user.email=mara@example.test", ...args], { cwd });
  git(work, "init", "-q", "-b", "main");
  git(work, "add", ".");
  git(work, "commit", "-qm", "First");
  git(folder, "clone", "-q", "--bare", "work", "relay.git");
  const bare = path.join(folder, "relay.git");
  git(bare, "update-server-info");
  return bare;
}

async function listen(answer: RequestListener): Promise<GitServer> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/relay.git`,
    close: () => server.close(),
  };
}

/** One request as CGI: what git writes is headers, an empty line, and the body. */
function runBackend(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://x");
  const child = spawn("git", ["http-backend"], {
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => void chunks.push(chunk));
  child.on("close", () => {
    const whole = Buffer.concat(chunks);
    const cut = whole.indexOf("\r\n\r\n");
    for (const line of whole.subarray(0, cut).toString("latin1").split("\r\n")) {
      const [name = "", value = ""] = line.split(/: (.*)/s);
      if (name.toLowerCase() === "status") response.statusCode = Number.parseInt(value, 10);
      else if (name !== "") response.setHeader(name, value);
    }
    response.end(whole.subarray(cut + 4));
  });
}
