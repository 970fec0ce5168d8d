/** A viewer for end-to-end tests: speaks the real protocol over a real socket and checks density as it reads. */
import type { ReadEntry } from "@ai-dev-platform/protocol/events";
import { VIEWER_ACK_BYTES } from "@ai-dev-platform/protocol/limits";
import { applyEntry, type SessionState } from "@ai-dev-platform/protocol/state";
import { PROTOCOL_VERSION, VIEWER_SUBPROTOCOL } from "@ai-dev-platform/protocol/version";
import type { SessionFrame, ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import { WebSocket } from "ws";
import { newId } from "./ids.ts";

export interface Viewer {
  entries: ReadEntry[];
  frames: SessionFrame[];
  state(): SessionState;
  send(frame: ViewerFrame): void;
  prompt(text: string, delivery?: "steer" | "queue"): string;
  /** Resolves with the first frame or entry state that satisfies the condition. */
  until<T>(what: string, find: (viewer: Viewer) => T | undefined | false | null): Promise<T>;
  closed: Promise<number>;
  close(): void;
}

const DEADLINE_MS = 90_000;
const ACK_DELAY_MS = 250;

export function openViewer(
  url: string,
  sessionId: string,
  ticket: string,
  options: { afterSeq?: number | null; entries?: ReadEntry[] } = {},
): Promise<Viewer> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/sessions/${sessionId}/socket`, [VIEWER_SUBPROTOCOL, `ticket.${ticket}`], {
    origin: url,
  });
  const entries: ReadEntry[] = options.entries ?? [];
  const frames: SessionFrame[] = [];
  const watchers = new Set<() => void>();
  let state: SessionState | null = null;
  let received = 0;
  let acked = 0;
  let ackTimer: NodeJS.Timeout | undefined;
  let problem: Error | null = null;
  const wake = () => {
    for (const watcher of watchers) watcher();
  };
  const send = (frame: ViewerFrame) => socket.send(JSON.stringify(frame));
  /** As the web app does: by bytes, and a moment after the last of them. An ack for each frame would be flooding. */
  const ack = () => {
    if (received - acked >= VIEWER_ACK_BYTES) sendAck();
    else ackTimer ??= setTimeout(sendAck, ACK_DELAY_MS);
  };
  const sendAck = () => {
    clearTimeout(ackTimer);
    ackTimer = undefined;
    acked = received;
    if (socket.readyState === WebSocket.OPEN) send({ type: "ack", receivedBytes: received });
  };
  const take = (frame: SessionFrame) => {
    frames.push(frame);
    if (frame.type === "welcome") {
      state = frame.state;
      if (frame.mode === "reset") entries.length = 0;
    }
    if (frame.type !== "events") return;
    for (const entry of frame.entries) {
      const last = entries.at(-1)?.seq;
      if (last !== undefined && entry.seq !== last + 1) problem = new Error(`seq ${entry.seq} after ${last}`);
      entries.push(entry);
      if (state !== null && entry.seq > state.seq) state = applyEntry(state, entry);
    }
  };
  socket.on("message", (data: Buffer) => {
    const text = data.toString("utf8");
    received += data.length;
    if (text !== "pong") {
      take(JSON.parse(text) as SessionFrame);
      ack();
    }
    wake();
  });
  const closed = new Promise<number>((resolve) =>
    socket.on("close", (code) => {
      clearTimeout(ackTimer);
      resolve(code);
      problem ??= new Error(`the socket closed with ${code}`);
      wake();
    }),
  );
  socket.on("error", () => {});
  const viewer: Viewer = {
    entries,
    frames,
    state: () => {
      if (state === null) throw new Error("no welcome yet");
      return state;
    },
    send,
    prompt(text, delivery = "queue") {
      const promptId = newId("prompt");
      send({ type: "prompt", promptId, text, delivery });
      return promptId;
    },
    until: (what, find) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = find(viewer);
          if (found !== undefined && found !== false && found !== null) finish(() => resolve(found));
          else if (problem !== null) finish(() => reject(problem instanceof Error ? problem : new Error(what)));
        };
        const timer = setTimeout(
          () =>
            finish(() =>
              reject(
                new Error(`${what}: not within ${DEADLINE_MS} ms; newest entries: ${JSON.stringify(entries.slice(-6)).slice(0, 2_000)}`),
              ),
            ),
          DEADLINE_MS,
        );
        const finish = (settle: () => void) => {
          clearTimeout(timer);
          watchers.delete(look);
          settle();
        };
        watchers.add(look);
        look();
      }),
    closed,
    close: () => socket.close(1000),
  };
  return new Promise((resolve, reject) => {
    socket.on("open", () => {
      send({ type: "hello", version: PROTOCOL_VERSION, afterSeq: options.afterSeq ?? null });
      viewer.until("welcome", () => state).then(() => resolve(viewer), reject);
    });
    void closed.then((code) => reject(new Error(`closed before welcome: ${code}`)));
  });
}

/** The entry that carries an event of this type (and that satisfies the condition). */
export function find<T extends ReadEntry["event"]["type"]>(
  viewer: Viewer,
  type: T,
  matches: (event: Extract<ReadEntry["event"], { type: T }>) => boolean = () => true,
) {
  for (const entry of viewer.entries) {
    const { event } = entry;
    if (event.type === type && matches(event as Extract<ReadEntry["event"], { type: T }>))
      return { ...entry, event: event as Extract<ReadEntry["event"], { type: T }> };
  }
  return undefined;
}
