import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { packTar } from "modern-tar";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeFresh } from "../fresh.ts";

const SESSION = `ses_${"a".repeat(26)}`;
const SOURCE = { kind: "archive", importId: `imp_${"b".repeat(26)}`, format: "tar.gz", name: "app.tar.gz" } as const;

let scratch = "";
let server: Server;
let origin = "";
/** Each request takes the next; the last one stays. */
let answers: ((response: ServerResponse) => void)[] = [];
let asked: string[] = [];
let progress: string[] = [];
beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "import-"));
  [answers, asked, progress] = [[], [], []];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(response);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(scratch, { recursive: true, force: true });
});

const make = () =>
  makeFresh(
    SOURCE,
    path.join(scratch, "workspace"),
    path.join(scratch, "building"),
    { server: origin, sessionId: SESSION, linkToken: "adpl_token", retryPauseMs: 1 },
    (detail) => void progress.push(detail),
  );
const archive = async (names: Record<string, string>) =>
  gzipSync(await packTar(Object.entries(names).map(([name, body]) => ({ header: { name, size: Buffer.byteLength(body) }, body }))));
const whole = (bytes: Buffer) => (response: ServerResponse) => void response.writeHead(200, { "content-length": bytes.length }).end(bytes);
const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end();
const git = (...args: string[]) => execFileSync("git", args, { cwd: path.join(scratch, "workspace"), encoding: "utf8" });

it("[SN14] becomes the workspace, committed as it came; no setting and no hook of its own .git is there", async () => {
  const names = {
    "app/a.txt": "one\n",
    "app/.gitignore": "*.log\n",
    "app/x.log": "noise\n",
    "app/.git/config": "[core]\n\tfsmonitor = false\n",
  };
  answers = [whole(await archive({ ...names, "app/.git/hooks/post-commit": "#!/bin/sh\n" }))];
  expect(await make()).toEqual({ ok: true });
  expect(asked).toEqual([`GET /runner/sessions/${SESSION}/import Bearer adpl_token`]);
  expect((await readdir(scratch)).sort()).toEqual(["workspace"]);
  expect(git("log", "--format=%s")).toBe("Import app.tar.gz\n");
  expect(git("ls-files")).toBe(".gitignore\na.txt\n");
  expect(git("status", "--porcelain")).toBe("");
  expect(await readFile(path.join(scratch, "workspace", "x.log"), "utf8")).toBe("noise\n");
  expect(await readFile(path.join(scratch, "workspace", ".git", "config"), "utf8")).not.toContain("fsmonitor");
  expect(await readdir(path.join(scratch, "workspace", ".git", "hooks"))).not.toContain("post-commit");
  expect(progress.at(-1)).toContain(".git was left out");
});

it("is asked for again when it did not arrive whole", async () => {
  const bytes = await archive({ a: "x" });
  const cut = (response: ServerResponse) => {
    response.writeHead(200, { "content-length": bytes.length });
    response.write(bytes.subarray(0, 20), () => response.destroy());
  };
  answers = [status(503), cut, whole(bytes)];
  expect(await make()).toEqual({ ok: true });
  expect(asked).toHaveLength(3);
});

it("[SN14] is refused whole with the reason, and leaves nothing", async () => {
  answers = [whole(await archive({ "a.txt": "x", "../evil": "y" }))];
  expect(await make()).toMatchObject({ ok: false, problem: { code: "archive_refused", detail: expect.stringContaining("leads out") } });
  expect(await readdir(scratch)).toEqual([]);
});

it("that is gone, or cannot be reached, says so", async () => {
  answers = [status(410)];
  expect(await make()).toMatchObject({ ok: false, problem: { code: "import_missing" } });
  expect(asked).toHaveLength(1);
  answers = [status(503)];
  expect(await make()).toMatchObject({ ok: false, problem: { code: "unavailable" } });
  answers = [(response) => void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end()];
  expect(await make()).toMatchObject({ ok: false, problem: { code: "unavailable" } });
  expect(await readdir(scratch)).toEqual([]);
});
