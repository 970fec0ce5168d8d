/**
 * An object store in a process of its own, with two doors: one as fast as loopback is, and one that takes as long as R2 did
 * in public measurements (`GET = 95 ms + size / 41 MB/s`, `PUT = 165 ms + size / 24 MB/s`, per stream). Constants by
 * environment: R2_GET_MS, R2_GET_MB_S, R2_PUT_MS, R2_PUT_MB_S. It speaks what the runner's part route speaks, ranges included.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";

const constant = (name: string, value: number): number => Number(process.env[name] ?? value);
const MODEL = {
  getMs: constant("R2_GET_MS", 95),
  getBytesPerMs: constant("R2_GET_MB_S", 41) * 1_000,
  putMs: constant("R2_PUT_MS", 165),
  putBytesPerMs: constant("R2_PUT_MB_S", 24) * 1_000,
};
const PIECE_BYTES = 256 * 1_024;

const objects = new Map<string, Buffer>();
const counters = { puts: 0, putBytes: 0, gets: 0, getBytes: 0 };

async function put(request: IncomingMessage, response: ServerResponse, key: string, isModel: boolean): Promise<void> {
  const startedAt = performance.now();
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  const dueMs = isModel ? startedAt + MODEL.putMs + body.length / MODEL.putBytesPerMs - performance.now() : 0;
  if (dueMs > 0) await wait(dueMs);
  objects.set(key, body);
  counters.puts += 1;
  counters.putBytes += body.length;
  response.writeHead(201).end();
}

async function get(request: IncomingMessage, response: ServerResponse, key: string, isModel: boolean): Promise<void> {
  const startedAt = performance.now();
  const body = objects.get(key);
  if (body === undefined) {
    response.writeHead(404).end();
    return;
  }
  const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const from = Number(asked?.[1] ?? 0);
  const to = asked?.[2] === undefined || asked[2] === "" ? body.length - 1 : Math.min(Number(asked[2]), body.length - 1);
  const wanted = body.subarray(from, to + 1);
  counters.gets += 1;
  counters.getBytes += wanted.length;
  const headers = { "content-length": wanted.length, "content-type": "application/octet-stream" };
  if (isModel) await wait(MODEL.getMs);
  if (asked === null) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${to}/${body.length}` });
  if (!isModel) {
    response.end(wanted);
    return;
  }
  for (let at = 0; at < wanted.length; at += PIECE_BYTES) {
    const piece = wanted.subarray(at, at + PIECE_BYTES);
    const dueMs = startedAt + MODEL.getMs + (at + piece.length) / MODEL.getBytesPerMs - performance.now();
    if (dueMs > 1) await wait(dueMs);
    if (!response.write(piece)) await new Promise((resolve) => response.once("drain", resolve));
  }
  response.end();
}

function listen(isModel: boolean): Promise<number> {
  const server = createServer((request, response) => {
    const answer = request.method === "PUT" ? put : get;
    answer(request, response, request.url ?? "", isModel).catch(() => response.destroy());
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

process.on("message", (asked) => {
  if (asked === "forget") objects.clear();
  process.send?.(counters);
});
process.on("disconnect", () => process.exit(0));
process.send?.({ fast: await listen(false), model: await listen(true) });
