/**
 * Live text from a runner to 1, 10 and 100 viewers through a session, beside a bare `ws` relay in the same run.
 * Aims: 1.3, 1.3 and 1.6 times the bare relay at the median. 80 pieces a second, 200 pieces a round, rounds interleaved.
 */
import { performance } from "node:perf_hooks";
import { WebSocket, WebSocketServer } from "ws";
import { signUp } from "../tests/support/node/account.ts";
import { openViewer } from "../tests/support/node/viewer.ts";
import { startModelServer } from "../scripts/demo-model/server.ts";
import { newId } from "../tests/support/node/ids.ts";
import { startDirectServer } from "./support/direct-server.ts";
import { median, show } from "./support/figures.ts";
import { connectMachine, type StandInRunner } from "./support/stand-in.ts";

const PIECES = 200;
const GAP_MS = 1_000 / 80;
const ROUNDS = 3;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function pace(send: (index: number) => void): Promise<void> {
  const startedAt = performance.now();
  for (let index = 0; index < PIECES; index += 1) {
    send(index);
    await pause(Math.max(0, startedAt + (index + 1) * GAP_MS - performance.now()));
  }
  await pause(300);
}

/** Latencies of pieces that carry their own send time as text. */
async function bareRound(viewers: number): Promise<number[]> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  server.on("connection", (socket) =>
    socket.on("message", (data: Buffer) => {
      const text = data.toString("utf8");
      for (const client of server.clients) if (client !== socket) client.send(text);
    }),
  );
  const latencies: number[] = [];
  const dial = () =>
    new Promise<WebSocket>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`);
      socket.on("open", () => resolve(socket));
    });
  const sockets = await Promise.all(Array.from({ length: viewers }, dial));
  for (const socket of sockets)
    socket.on("message", (data: Buffer) =>
      latencies.push(performance.now() - Number((JSON.parse(data.toString("utf8")) as { text: string }).text)),
    );
  const publisher = await dial();
  await pace((index) =>
    publisher.send(
      JSON.stringify({
        type: "live",
        thread: "main",
        block: "b",
        kind: "text",
        offset: index * 20,
        text: performance.now().toFixed(6).padStart(20),
      }),
    ),
  );
  for (const client of server.clients) client.terminate();
  server.close();
  return latencies;
}

const model = await startModelServer({ port: 0 });
const server = await startDirectServer({ ANTHROPIC_UPSTREAM: model.url });
const runners = new Map<string, StandInRunner>();
const disconnect = await connectMachine(server.url, server.machineToken, (runner, order) => runners.set(order.sessionId, runner));
const mara = await signUp(server.url);
await mara.json("POST", "/api/keys", { apiKey: "sk-ant-api03-bench-000000000000000000000000000000000000AA" });

async function sessionRound(viewers: number): Promise<number[]> {
  const session = await mara.createSession({ kind: "empty" });
  const tickets = [];
  for (let index = 0; index < viewers; index += 1)
    tickets.push(await mara.json<{ ticket: string }>("POST", `/api/sessions/${session.sessionId}/ticket`, {}));
  const all = await Promise.all(tickets.map(({ ticket }) => openViewer(server.url, session.sessionId, ticket)));
  const latencies: number[] = [];
  const turn = new Promise<void>((resolve) => {
    const wait = setInterval(() => {
      if (!runners.has(session.sessionId)) return;
      clearInterval(wait);
      runners.get(session.sessionId)?.onOrder((order) => order.type === "prompt" && resolve());
    }, 5);
  });
  all[0]?.prompt("bench");
  await turn;
  for (const viewer of all) {
    const push = viewer.frames.push.bind(viewer.frames);
    viewer.frames.push = (...frames) => {
      const now = performance.now();
      for (const frame of frames) {
        if (frame.type !== "live") continue;
        for (const sent of frame.text.match(/.{20}/g) ?? []) latencies.push(now - Number(sent));
      }
      return push(...frames);
    };
  }
  const block = `msg_${newId("request")}:0`;
  await pace((index) =>
    runners
      .get(session.sessionId)
      ?.send({ type: "live", thread: "main", block, kind: "text", offset: index * 20, text: performance.now().toFixed(6).padStart(20) }),
  );
  for (const viewer of all) viewer.close();
  return latencies;
}

for (const viewers of [1, 10, 100]) {
  const bare: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(...(await bareRound(viewers)));
    ours.push(...(await sessionRound(viewers)));
  }
  show(`${viewers} viewers, bare ws`, bare);
  show(`${viewers} viewers, session`, ours);
  console.log(`${`${viewers} viewers, ratio of medians`.padEnd(52)} ${(median(ours) / median(bare)).toFixed(2)}`);
}
disconnect();
await server.close();
await model.close();
process.exit(0);
