/** One session over its socket, as a viewer: keeps the log and the folded state, answers approvals, runs scripts. */
import { randomBytes } from "node:crypto";
import type { LogEntry, ReadEntry } from "@ai-dev-platform/protocol/events";
import { formatId, ID_RANDOM_BYTES, type IdKind } from "@ai-dev-platform/protocol/ids";
import { applyEntry, type SessionState } from "@ai-dev-platform/protocol/state";
import { PROTOCOL_VERSION, VIEWER_SUBPROTOCOL } from "@ai-dev-platform/protocol/version";
import type { SessionFrame, ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import { WebSocket } from "ws";

export interface RunResult {
  output: string;
  promptAt: number;
  endedAt: number;
  endedSeq: number;
}

export interface SessionLink {
  bootId: string | null;
  entries: ReadEntry[];
  state(): SessionState;
  /** All that came over the socket, for the search for keys. */
  received(): string;
  send(frame: ViewerFrame): void;
  /** Resolves when the condition holds; rejects when the time is up or the socket is gone. */
  until<T>(what: string, timeoutMs: number, find: () => T | undefined | false | null): Promise<T>;
  /** Asks the agent and gives back what its tools printed. */
  ask(text: string, timeoutMs: number): Promise<RunResult>;
  close(): void;
}

const ACK_DELAY_MS = 250;
const OPEN_TIMEOUT_MS = 20_000;

const newId = (kind: IdKind): string => formatId(kind, randomBytes(ID_RANDOM_BYTES));

class Log {
  readonly entries: ReadEntry[] = [];
  readonly texts: string[] = [];
  state: SessionState | null = null;
  bootId: string | null = null;
  receivedBytes = 0;

  take(data: string): void {
    this.receivedBytes += Buffer.byteLength(data);
    this.texts.push(data);
    if (data === "pong") return;
    const frame: SessionFrame = JSON.parse(data);
    if (frame.type === "welcome") {
      this.state = frame.state;
      this.bootId = frame.bootId ?? null;
    }
    if (frame.type !== "events") return;
    for (const entry of frame.entries) {
      this.entries.push(entry);
      if (this.state !== null && entry.seq > this.state.seq) this.state = applyEntry(this.state, entry);
    }
  }
}

interface Watch {
  look(): void;
  fail(reason: Error): void;
}

export function openLink(url: string, sessionId: string, ticket: string): Promise<SessionLink> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/api/sessions/${sessionId}/socket`, [VIEWER_SUBPROTOCOL, `ticket.${ticket}`], {
    origin: url,
  });
  const log = new Log();
  const watches = new Set<Watch>();
  const send = (frame: ViewerFrame): void => socket.send(JSON.stringify(frame));
  let ackTimer: NodeJS.Timeout | undefined;
  const ackSoon = (): void => {
    ackTimer ??= setTimeout(() => {
      ackTimer = undefined;
      if (socket.readyState === WebSocket.OPEN) send({ type: "ack", receivedBytes: log.receivedBytes });
    }, ACK_DELAY_MS);
  };
  const until: SessionLink["until"] = (what, timeoutMs, find) => waitFor(watches, what, timeoutMs, find);
  socket.on("message", (data: Buffer) => {
    log.take(data.toString("utf8"));
    ackSoon();
    for (const watch of watches) watch.look();
  });
  socket.on("close", (code) => {
    clearTimeout(ackTimer);
    for (const watch of watches) watch.fail(new Error(`the session closed the socket (${code})`));
  });
  socket.on("error", (error) => {
    for (const watch of watches) watch.fail(error);
  });
  socket.on("open", () => send({ type: "hello", version: PROTOCOL_VERSION, afterSeq: null }));
  return until("the session's welcome", OPEN_TIMEOUT_MS, () => log.state).then(() => makeLink(socket, log, send, until));
}

function waitFor<T>(watches: Set<Watch>, what: string, timeoutMs: number, find: () => T | undefined | false | null): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      watches.delete(watch);
      settle();
    };
    const watch: Watch = {
      look() {
        try {
          const found = find();
          if (found !== undefined && found !== false && found !== null) end(() => resolve(found));
        } catch (error) {
          watch.fail(error instanceof Error ? error : new Error(String(error)));
        }
      },
      fail: (reason) => end(() => reject(new Error(`${what}: ${reason.message}`))),
    };
    const timer = setTimeout(() => watch.fail(new Error(`not within ${timeoutMs / 1_000} s`)), timeoutMs);
    watches.add(watch);
    watch.look();
  });
}

function makeLink(socket: WebSocket, log: Log, send: SessionLink["send"], until: SessionLink["until"]): SessionLink {
  const state = (): SessionState => {
    if (log.state === null) throw new Error("There is no state before the welcome.");
    return log.state;
  };
  const answered = new Set<string>();
  const allowAll = (): void => {
    for (const { request } of state().approvals) {
      if (answered.has(request.approvalId) || request.kind !== "permission") continue;
      answered.add(request.approvalId);
      send({ type: "answer", requestId: newId("request"), approvalId: request.approvalId, answer: { decision: "allow_once" } });
    }
  };
  return {
    bootId: log.bootId,
    entries: log.entries,
    state,
    received: () => log.texts.join("\n"),
    send,
    until,
    async ask(text, timeoutMs) {
      const promptId = newId("prompt");
      const promptAt = Date.now();
      send({ type: "prompt", promptId, text, delivery: "queue" });
      const ended = await until("the agent's answer", timeoutMs, () => {
        allowAll();
        return endOf(log.entries, promptId);
      });
      return { output: outputOf(log.entries, ended.turnId), promptAt, endedAt: ended.at, endedSeq: ended.seq };
    },
    close: () => socket.close(1000),
  };
}

function endOf(entries: readonly ReadEntry[], promptId: string): (ReadEntry & { turnId: string }) | undefined {
  const started = entries.find(({ event }) => event.type === "turn_started" && event.promptId === promptId);
  if (started?.event.type !== "turn_started") return undefined;
  const { turnId } = started.event;
  const ended = entries.find(({ event }) => event.type === "turn_ended" && event.turnId === turnId);
  if (ended?.event.type !== "turn_ended") return undefined;
  if (ended.event.outcome !== "completed")
    throw new Error(`the turn ended as ${ended.event.outcome}: ${ended.event.problem?.message ?? ""}`);
  return { ...ended, turnId };
}

const outputOf = (entries: readonly ReadEntry[], turnId: string): string =>
  entries
    .filter((entry): entry is LogEntry => entry.turnId === turnId && entry.event.type === "tool_ended")
    .map(({ event }) => (event.type === "tool_ended" ? event.output : ""))
    .join("\n");
