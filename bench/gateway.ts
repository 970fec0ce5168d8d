/**
 * What /v1/chat/completions adds to the model behind it, beside Portkey's open gateway before the same one:
 *   one request at a time, whole and streamed: what each gateway adds to the bare upstream; rounds go from side to side
 *   processor time per 1,000 streamed tokens; streams and tokens per second at 1, 32 and 256 at once; memory during 256
 * The Worker runs on workerd alone: what the local development server adds (some 8 ms) is nobody's but its own. ROUNDS, SECONDS: how long it takes.
 */
import { type ChildProcess, fork } from "node:child_process";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { signUp } from "../tests/support/node/account.ts";
import { startBareRuntime } from "./support/bare-runtime.ts";
import { median, show } from "./support/figures.ts";
import { ask, type Side, streamsFor } from "./support/gateway-load.ts";
import { startPortkey } from "./support/portkey.ts";
import { cpuMs, pidOfPort, residentBytes } from "./support/process-cost.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 300);
const SECONDS = Number(process.env["SECONDS"] ?? 4);
const WARM_UP_ROUNDS = 60;
const STREAM_TOKENS = 200;
const PACE_MS = 10;
const CPU_STREAMS_AT_ONCE = 32;
const AT_ONCE = [1, 32, 256];
const MEBIBYTE = 1_048_576;
const API_KEY = "sk-ant-api03-bench-000000000000000000000000000000000000AA";

async function startUpstream(): Promise<{ url: string; child: ChildProcess }> {
  const child = fork(path.join(import.meta.dirname, "support/anthropic-upstream.ts"), { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const url = await new Promise<string>((resolve) => child.stdout?.once("data", (line: Buffer) => resolve(line.toString().trim())));
  return { url, child };
}

async function ownSide(upstream: string): Promise<Side & { close(): Promise<void> }> {
  const server = await startBareRuntime({ ANTHROPIC_UPSTREAM: upstream, API_RATE_FACTOR: "1000" });
  const mara = await signUp(server.url);
  await mara.json("POST", "/api/keys", { apiKey: API_KEY });
  const { token } = await mara.json<{ token: string }>("POST", "/api/tokens", { name: "bench", scopes: ["chat"] });
  const pids = [pidOfPort(Number(new URL(server.url).port))];
  const headers = { authorization: `Bearer ${token}` };
  return { name: "ours", url: `${server.url}/v1/chat/completions`, headers, pids, close: () => server.close() };
}

const upstream = await startUpstream();
const portkey = await startPortkey(path.join(os.tmpdir(), "adp-bench-portkey"), upstream.url);
const own = await ownSide(upstream.url);
const bare: Side = { name: "bare upstream", url: `${upstream.url}/v1/messages`, headers: {}, pids: [] };
const peer: Side = { name: "Portkey", url: `${portkey.url}/v1/chat/completions`, headers: portkey.headers, pids: [portkey.pid] };
const sides = [bare, own, peer];
const gateways = [own, peer];

async function measureLatency(isStream: boolean): Promise<void> {
  const order = isStream ? { tokens: STREAM_TOKENS, paceMs: 0, isStream } : { tokens: 8, paceMs: 0, isStream };
  const firsts = sides.map((): number[] => []);
  const totals = sides.map((): number[] => []);
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    for (const [index, side] of sides.entries()) {
      const { firstMs, totalMs } = await ask(side, order);
      if (round < 0) continue;
      firsts[index]?.push(firstMs);
      totals[index]?.push(totalMs);
    }
  }
  const what = isStream ? `stream of ${STREAM_TOKENS} tokens` : "whole answer";
  sides.forEach((side, index) => show(`${what}: ${side.name}, first byte`, firsts[index] ?? []));
  if (isStream) sides.forEach((side, index) => show(`${what}: ${side.name}, to its end`, totals[index] ?? []));
  const added = (values: number[][], index: number) => median(values[index] ?? []) - median(values[0] ?? []);
  console.log(
    `${what}: added to the first byte: ours ${added(firsts, 1).toFixed(2)} ms, Portkey ${added(firsts, 2).toFixed(2)} ms, ratio ${(added(firsts, 1) / added(firsts, 2)).toFixed(2)} (aim 0.5)`,
  );
}

async function measureCpu(): Promise<void> {
  for (const side of gateways) {
    const before = cpuMs(side.pids);
    const { tokens } = await streamsFor(side, SECONDS * 1_000, CPU_STREAMS_AT_ONCE, {
      tokens: STREAM_TOKENS,
      paceMs: PACE_MS,
      isStream: true,
    });
    const used = cpuMs(side.pids) - before;
    console.log(
      `processor time per 1,000 tokens, each in a piece of its own: ${side.name} ${((used / tokens) * 1_000).toFixed(2)} ms (${tokens} tokens)`,
    );
  }
}

async function measureThroughput(): Promise<void> {
  for (const atOnce of AT_ONCE) {
    for (const side of sides) {
      const { streams, tokens, seconds, failed } = await streamsFor(side, SECONDS * 1_000, atOnce, {
        tokens: STREAM_TOKENS,
        paceMs: 0,
        isStream: true,
      });
      console.log(
        `${String(atOnce).padStart(3)} at once: ${side.name.padEnd(14)} ${(streams / seconds).toFixed(0).padStart(6)} streams/s ${(tokens / seconds).toFixed(0).padStart(8)} tokens/s${failed === 0 ? "" : `, ${failed} failed`}`,
      );
    }
  }
}

async function measureMemory(): Promise<void> {
  for (const side of gateways) {
    const before = residentBytes(side.pids);
    let highest = before;
    const watch = setInterval(() => (highest = Math.max(highest, residentBytes(side.pids))), 50);
    await streamsFor(side, SECONDS * 1_000, 256, { tokens: STREAM_TOKENS, paceMs: PACE_MS, isStream: true });
    clearInterval(watch);
    const after = residentBytes(side.pids);
    const show = (bytes: number) => (bytes / MEBIBYTE).toFixed(0);
    console.log(`memory with 256 paced streams: ${side.name}: before ${show(before)}, highest ${show(highest)}, after ${show(after)} MiB`);
  }
}

await measureLatency(false);
await measureLatency(true);
await measureCpu();
await measureThroughput();
await measureMemory();
const { open } = (await (await fetch(`${upstream.url}/open`)).json()) as { open: number };
console.log(`still streaming at the upstream: ${open}`);
await own.close();
portkey.close();
upstream.child.kill();
process.exit(0);
