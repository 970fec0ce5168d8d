/** What a broken or hostile server may answer to a runner that fetches its saved state: never a hang, never a full memory. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeTree } from "../../agent/src/runner/workspace/remove-tree.ts";
import { openWorkspace } from "../../agent/src/runner/workspace/workspace.ts";
import { noise } from "../../agent/src/runner/testing/noise.ts";

const SESSION = `ses_${"a".repeat(26)}`;
const SNAPSHOT = `snp_${"b".repeat(26)}`;
const PART_BYTES = 300_000;
const part = noise(PART_BYTES, 3);

type Answer = (response: ServerResponse, request: IncomingMessage) => void;
let scratch: string;
let server: Server;
let url: string;
let answer: Answer;
let asked: { url: string; authorization: string }[];

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "transfer-"));
  asked = [];
  server = createServer((request, response) => {
    asked.push({ url: request.url ?? "", authorization: request.headers.authorization ?? "" });
    answer(response, request);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await removeTree(scratch);
});

const reference = (): SnapshotRef => ({
  snapshotId: SNAPSHOT,
  parentId: null,
  format: 2,
  parts: [{ bytes: PART_BYTES, sha256: createHash("sha256").update(part).digest("hex") }],
  inherited: [],
  dependencies: [],
  treeBytes: 1,
  treeFiles: 1,
  leftOut: [],
});

const open = () =>
  openWorkspace({
    server: url,
    linkToken: "secret-link",
    sessionId: SESSION,
    stateDir: path.join(scratch, "state"),
    source: { kind: "empty" },
    snapshots: [reference()],
    allowedPaths: [],
    retryPauseMs: 1,
    onProgress: () => undefined,
  });

/** Writes for as long as anybody reads. */
function pour(response: ServerResponse, from = 0): void {
  let written = from;
  const chunk = noise(1_048_576, 7);
  const more = () => {
    while (!response.destroyed && response.write(chunk)) written += chunk.length;
    if (!response.destroyed) response.once("drain", more);
  };
  more();
}

const whole: Answer = (response) => void response.writeHead(200, { "content-length": PART_BYTES }).end(part);
const other = Buffer.from(part);
other[1_000] = (other[1_000] ?? 0) ^ 1;

const ANSWERS: [string, Answer][] = [
  ["a part that is no pack", whole],
  ["other bytes of the right size", (response) => void response.writeHead(200).end(other)],
  ["a short body", (response) => void response.writeHead(200).end(part.subarray(0, 1_000))],
  [
    "a body that breaks off",
    (response) => void response.writeHead(200, { "content-length": PART_BYTES }).write(part.subarray(0, 1_000), () => response.destroy()),
  ],
  ["a longer body than was named", (response) => void response.writeHead(200).end(Buffer.concat([part, part]))],
  ["an endless body", (response) => (response.writeHead(200), pour(response))],
  ["an endless refusal", (response) => (response.writeHead(500), pour(response))],
  ["an empty body", (response) => void response.writeHead(200).end()],
  ["nothing, as a success", (response) => void response.writeHead(204).end()],
  [
    "another range than was asked for",
    (response) => void response.writeHead(206, { "content-range": `bytes 5-9/${PART_BYTES}` }).end(part.subarray(5, 10)),
  ],
  [
    "a range that says the right thing and holds another",
    (response, request) => {
      const [from = 0, to = PART_BYTES - 1] = (request.headers.range ?? "").replace("bytes=", "").split("-").map(Number);
      response.writeHead(206, { "content-range": `bytes ${from}-${to}/${PART_BYTES}` }).end(other.subarray(from, to + 1));
    },
  ],
  [
    "bytes that unpack to more",
    (response) =>
      void response.writeHead(200, { "content-encoding": "gzip" }).end(Buffer.from("1f8b0800000000000003edc1010d000000c2", "hex")),
  ],
  ["a redirect elsewhere", (response) => void response.writeHead(302, { location: "http://127.0.0.1:9/stolen" }).end()],
  ["a redirect to itself", (response, request) => void response.writeHead(307, { location: request.url ?? "/" }).end()],
  ["a missing part", (response) => void response.writeHead(404).end("no")],
  ["a refusal", (response) => void response.writeHead(403).end("no")],
  ["no answer at all", (response) => void response.destroy()],
];

describe("a server that answers a wake with", () => {
  it.each(ANSWERS)("[SN4] %s is not believed", async (_name, how) => {
    answer = how;
    const before = process.memoryUsage().rss;
    const opened = await open();
    expect(opened.ok).toBe(false);
    if (!opened.ok) expect(JSON.stringify(opened.problem)).not.toContain("secret-link");
    // Nothing is in place, and nothing was left behind.
    const left = await readdir(path.join(scratch, "state"));
    expect(left.filter((name) => name === "workspace" || name === "claude" || name.startsWith("incoming-"))).toEqual([]);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1_048_576);
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer secret-link"]));
  });

  it("a redirect never carries the token to where it leads", async () => {
    const stolen: string[] = [];
    const thief = createServer((request, response) => {
      stolen.push(request.headers.authorization ?? "none");
      response.writeHead(200).end(part);
    });
    await new Promise<void>((resolve) => void thief.listen(0, "127.0.0.1", resolve));
    const address = thief.address();
    answer = (response) =>
      void response.writeHead(302, { location: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/` }).end();
    expect((await open()).ok).toBe(false);
    thief.close();
    expect(stolen).toEqual([]);
  });
});
