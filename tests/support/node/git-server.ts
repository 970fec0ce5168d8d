/** A real Git repository behind plain HTTP, as any static file server can offer one. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";

export interface GitServer {
  url: string;
  close(): void;
}

export async function serveRepository(folder: string, files: Record<string, string>): Promise<GitServer> {
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
  git(path.join(folder, "relay.git"), "update-server-info");
  const server = createServer((request, response) => {
    const file = path.join(folder, path.posix.normalize(new URL(request.url ?? "/", "http://x").pathname));
    try {
      response.end(readFileSync(file));
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/relay.git`,
    close: () => server.close(),
  };
}
