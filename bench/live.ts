/**
 * Live text from a runner to 1, 10 and 100 viewers through a session, beside a bare `ws` relay in a process of its own.
 *   at 20 pieces a second, an agent's pace: each piece leaves at once on both sides, so the ratio is what the session adds.
 *     The pieces go by turns through the one and the other. Aims: 1.3, 1.3 and 1.6 times the relay at the median.
 *   at 80 pieces a second, faster than any agent: the session joins what comes within 33 ms; so does the relay here.
 */
import { fork } from "node:child_process";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { LIVE_FRAME_INTERVAL_MS } from "@ai-dev-platform/protocol/limits";
import { PROTOCOL_VERSION, VIEWER_SUBPROTOCOL } from "@ai-dev-platform/protocol/version";
import { WebSocket } from "ws";
import { startModelServer } from "../scripts/demo-model/server.ts";
import { newId } from "../tests/support/node/ids.ts";
import { signUp } from "../tests/support/node/account.ts";
import { openViewer } from "../tests/support/node/viewer.ts";
import { startDirectServer } from "./support/direct-server.ts";
import { median, show } from "./support/figures.ts";
import { openReceiver, PIECE_CHARS, timedPiece, type Receiver } from "./support/sockets.ts";
import { connectMachine, type StandInRunner } from "./support/stand-in.ts";

const VIEWERS = [1, 10, 100];
const ROUNDS = Number(process.env["ROUNDS"] ?? 2);
const CALM = { perSecond: 20, pieces: 60 };
const FAST = { perSecond: 80, pieces: 160 };
/** First pieces of a round, in which code is compiled and caches fill. */
const WARM_UP_PIECES = 10;
const DELIVERY_DEADLINE_MS = 5_000;
const START_DEADLINE_MS = 30_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One side of a comparison: where pieces go in, and how old they were where they came out. */
interface Side {
  send(index: number): void;
  latencies: number[];
  receivers: Receiver[];
  close(): void | Promise<unknown>;
}

const liveFrame = (block: string, index: number) => ({
  type: "live" as const,
  thread: "main",
  block,
  kind: "text" as const,
  offset: index * PIECE_CHARS,
  text: timedPiece(),
});

async function openRelay(viewers: number, coalesceMs: number): Promise<Side> {
  const relay = fork(path.join(import.meta.dirname, "support/relay.ts"), { env: { ...process.env, COALESCE_MS: String(coalesceMs) } });
  const port = await new Promise<number>((resolve) => relay.once("message", (message) => resolve(Number(message))));
  const url = `ws://127.0.0.1:${port}`;
  const latencies: number[] = [];
  const receivers = await Promise.all(Array.from({ length: viewers }, () => openReceiver(url, [], latencies, null)));
  const publisher = new WebSocket(url, { perMessageDeflate: false });
  await new Promise((resolve) => publisher.once("open", resolve));
  return {
    send: (index) => publisher.send(JSON.stringify(liveFrame("b", index))),
    latencies,
    receivers,
    close: () => relay.disconnect(),
  };
}

const model = await startModelServer({ port: 0 });
const server = await startDirectServer({ ANTHROPIC_UPSTREAM: model.url });
const runners = new Map<string, (runner: StandInRunner) => void>();
const disconnect = await connectMachine(server.url, server.machineToken, (runner, order) => runners.get(order.sessionId)?.(runner));
const mara = await signUp(server.url);
await mara.json("POST", "/api/keys", { apiKey: "sk-ant-api03-bench-000000000000000000000000000000000000AA" });

/** A session with an open turn, a stand-in runner, and this many viewers. */
async function openSession(viewers: number): Promise<Side> {
  const { sessionId } = await mara.createSession({ kind: "empty" });
  const ticket = async () => (await mara.json<{ ticket: string }>("POST", `/api/sessions/${sessionId}/ticket`, {})).ticket;
  const runner = new Promise<StandInRunner>((resolve) => runners.set(sessionId, resolve));
  const owner = await openViewer(server.url, sessionId, await ticket());
  owner.prompt("bench");
  const started = await within(runner, "a runner was not started");
  await owner.until("a turn", (viewer) => viewer.state().turn);
  owner.close();
  await owner.closed;
  const latencies: number[] = [];
  const hello = JSON.stringify({ type: "hello", version: PROTOCOL_VERSION, afterSeq: null });
  const url = `${server.url.replace("http", "ws")}/api/sessions/${sessionId}/socket`;
  const receivers: Receiver[] = [];
  for (let index = 0; index < viewers; index += 1)
    receivers.push(await openReceiver(url, [VIEWER_SUBPROTOCOL, `ticket.${await ticket()}`], latencies, hello));
  const block = `msg_${newId("request")}:0`;
  return {
    send: (index) => started.send(liveFrame(block, index)),
    latencies,
    receivers,
    async close() {
      for (const { socket } of receivers) socket.terminate();
      await mara.request("DELETE", `/api/sessions/${sessionId}`);
    },
  };
}

function within<T>(work: Promise<T>, otherwise: string): Promise<T> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error(otherwise)), START_DEADLINE_MS).unref());
  return Promise.race([work, late]);
}

/** Sends at an even pace, to the sides by turns, and waits until all of it arrived everywhere. */
async function pace(sides: Side[], { perSecond, pieces }: { perSecond: number; pieces: number }): Promise<void> {
  const stepMs = 1_000 / perSecond / sides.length;
  const startedAt = performance.now();
  for (let step = 0; step < (pieces + WARM_UP_PIECES) * sides.length; step += 1) {
    const index = Math.floor(step / sides.length);
    const side = sides[step % sides.length];
    if (index === WARM_UP_PIECES && side !== undefined) side.latencies.length = 0;
    side?.send(index);
    await pause(Math.max(0, startedAt + (step + 1) * stepMs - performance.now()));
  }
  const deadline = performance.now() + DELIVERY_DEADLINE_MS;
  const missing = () => sides.some((side) => side.receivers.some(({ received }) => received < pieces + WARM_UP_PIECES));
  while (missing() && performance.now() < deadline) await pause(5);
  if (missing()) throw new Error("a viewer did not receive every piece");
}

function report(name: string, bare: number[], own: number[]): void {
  show(`${name}, bare ws`, bare);
  show(`${name}, session`, own);
  console.log(`${`${name}, ratio of medians`.padEnd(52)} ${(median(own) / median(bare)).toFixed(2)}`);
}

for (const viewers of VIEWERS) {
  const calm: [number[], number[]] = [[], []];
  const fast: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    const together = [await openRelay(viewers, 0), await openSession(viewers)] as const;
    await pace([...together], CALM);
    together.forEach((side, index) => calm[index === 0 ? 0 : 1].push(...side.latencies));
    for (const side of together) await side.close();
    for (const [index, open] of [() => openRelay(viewers, LIVE_FRAME_INTERVAL_MS), () => openSession(viewers)].entries()) {
      const side = await open();
      await pace([side], FAST);
      fast[index === 0 ? 0 : 1].push(...side.latencies);
      await side.close();
    }
  }
  report(`${viewers} viewers, ${CALM.perSecond}/s`, ...calm);
  report(`${viewers} viewers, ${FAST.perSecond}/s joined`, ...fast);
}
disconnect();
await server.close();
await model.close();
process.exit(0);
