/** A machine and a runner that only speak the protocol: for measuring the session without an agent behind it. */
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import type { RunnerFrame, RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import { PING, PONG, RUNNER_PING_INTERVAL_MS } from "@ai-dev-platform/protocol/limits";
import { WebSocket } from "ws";
import { newId } from "../../tests/support/node/ids.ts";

export interface StandInRunner {
  send(frame: RunnerFrame): void;
  onOrder(listen: (order: RunnerOrderFrame) => void): void;
  close(): void;
}

/** Connects as a machine; each started session is handed to `onRunner` once its runner is ready. */
export function connectMachine(
  url: string,
  token: string,
  onRunner: (runner: StandInRunner, order: RunnerOrder) => void,
): Promise<() => void> {
  const machineId = newId("machine");
  const socket = new WebSocket(`${url.replace("http", "ws")}/machine/control?machine=${machineId}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const runners: WebSocket[] = [];
  keepAlive(socket);
  socket.on("message", (data: Buffer) => {
    if (data.toString("utf8") === PONG) return;
    const frame = JSON.parse(data.toString("utf8")) as { type: string; requestId: string; order: RunnerOrder };
    if (frame.type === "welcome" || frame.requestId === undefined) return;
    socket.send(JSON.stringify({ type: "reply", requestId: frame.requestId, ok: true }));
    if (frame.type === "start") runners.push(dial(url, frame.order, onRunner));
  });
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () => {
      socket.send(
        JSON.stringify({
          type: "hello",
          version: 1,
          machineId,
          name: "bench",
          platform: "bench",
          agentVersion: "0",
          capacity: 100,
          running: [],
          allowsPaths: false,
        }),
      );
      resolve(() => {
        for (const runner of runners) runner.terminate();
        socket.terminate();
      });
    });
  });
}

/** A peer that is silent for half a minute counts as gone. */
function keepAlive(socket: WebSocket): void {
  const timer = setInterval(() => {
    if (socket.readyState === WebSocket.OPEN) socket.send(PING);
  }, RUNNER_PING_INTERVAL_MS);
  socket.once("close", () => clearInterval(timer));
}

function dial(url: string, order: RunnerOrder, onRunner: (runner: StandInRunner, order: RunnerOrder) => void): WebSocket {
  const link = new WebSocket(`${url.replace("http", "ws")}/runner/sessions/${order.sessionId}/link`, {
    headers: { authorization: `Bearer ${order.linkToken}` },
  });
  keepAlive(link);
  const listeners: ((order: RunnerOrderFrame) => void)[] = [];
  const send = (frame: RunnerFrame) => link.send(JSON.stringify(frame));
  link.on("open", () =>
    send({ type: "hello", version: 1, sessionId: order.sessionId, incarnation: order.incarnation, runnerVersion: "bench", lastRseq: 0 }),
  );
  link.on("message", (data: Buffer) => {
    if (data.toString("utf8") === PONG) return;
    const frame = JSON.parse(data.toString("utf8")) as RunnerOrderFrame;
    if (frame.type === "welcome") {
      onRunner({ send, onOrder: (listen) => listeners.push(listen), close: () => link.close() }, order);
      send({ type: "ready", openTurnId: null });
    }
    for (const listen of listeners) listen(frame);
  });
  return link;
}
