/**
 * The viewers' sockets: welcome, replay, fan-out, and credit (SPEC VS). Sends only what the ledger committed. A replay
 * is paced by the viewer's acks; the final read, the send and going live happen in one synchronous step, so nothing can
 * fall in between.
 */
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { encodeFrame } from "@ai-dev-platform/protocol/codec";
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { LogEntry, ReadEntry } from "@ai-dev-platform/protocol/events";
import {
  FIRST_PAINT_ENTRIES,
  MAX_REPLAY_ENTRIES,
  REPLAY_CHUNK_BYTES,
  VIEWER_CLOSE_BYTES,
  VIEWER_LAG_BYTES,
} from "@ai-dev-platform/protocol/limits";
import type { Role } from "@ai-dev-platform/protocol/roles";
import { PROTOCOL_VERSION } from "@ai-dev-platform/protocol/version";
import type { SessionFrame } from "@ai-dev-platform/protocol/viewer";
import { headSeq, readAfter, readBefore } from "./event-log.ts";
import type { Ledger } from "./ledger.ts";
import { frameOf, type LiveText } from "./live.ts";
import { closeQuietly } from "./runner-link.ts";
import type { TicketHolder } from "./grants.ts";
import { VIEWER_TAG, ViewerMarks, type ViewerMark } from "./viewer-mark.ts";

/** Entries read at once while replaying; the chunk's bytes end it earlier. */
const REPLAY_PAGE_ENTRIES = 200;

/** Queries of one viewer that may be on their way at once. */
const MAX_OPEN_QUERIES = 16;

export interface Greeting {
  sessionId: string;
  role: Role;
  afterSeq: number | null;
  now: number;
}

export class Viewers {
  readonly #ctx: DurableObjectState;
  readonly #sql: SqlStorage;
  readonly #ledger: Ledger;
  readonly #live: LiveText;
  readonly #marks = new ViewerMarks();
  readonly #bootId = crypto.randomUUID();

  constructor(ctx: DurableObjectState, ledger: Ledger, live: LiveText) {
    this.#ctx = ctx;
    this.#sql = ctx.storage.sql;
    this.#ledger = ledger;
    this.#live = live;
  }

  sockets(): WebSocket[] {
    return this.#ctx.getWebSockets(VIEWER_TAG);
  }

  mark(ws: WebSocket): ViewerMark | null {
    return this.#marks.get(ws);
  }

  saveMark(ws: WebSocket, mark: ViewerMark): void {
    this.#marks.set(ws, mark);
  }

  attach(ws: WebSocket, holder: TicketHolder): void {
    const { grantId, userId, name } = holder;
    const start = { phase: "new", cursor: 0, sentBytes: 0, ackedBytes: 0, isLagging: false, queries: {} } as const;
    this.#marks.set(ws, { kind: "viewer", grantId, userId, name, ...start });
  }

  welcome(ws: WebSocket, mark: ViewerMark, greeting: Greeting): void {
    const head = headSeq(this.#sql);
    const { afterSeq } = greeting;
    const isResume = afterSeq !== null && afterSeq <= head && head - afterSeq <= MAX_REPLAY_ENTRIES;
    mark.cursor = isResume ? afterSeq : Math.max(0, head - FIRST_PAINT_ENTRIES);
    mark.phase = "replaying";
    // Sent bytes count from this hello, as the viewer's acks do.
    mark.sentBytes = 0;
    mark.ackedBytes = 0;
    mark.isLagging = false;
    this.send(ws, {
      type: "welcome",
      version: PROTOCOL_VERSION,
      sessionId: greeting.sessionId,
      mode: isResume ? "resume" : "reset",
      head,
      role: greeting.role,
      userId: mark.userId,
      name: mark.name,
      state: this.#ledger.state,
      live: this.#live.snapshot(),
      serverAt: greeting.now,
      bootId: this.#bootId,
    });
    this.#replay(ws, mark);
  }

  /** New entries, to every viewer that has all the ones before. */
  push(entries: readonly LogEntry[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    let text: string | null = null;
    for (const ws of this.sockets()) {
      const mark = this.mark(ws);
      if (mark?.phase !== "live") continue;
      const frame: SessionFrame = { type: "events", entries: [...entries], head: last.seq };
      text ??= encodeFrame(frame);
      this.#sendText(ws, mark, text);
    }
  }

  /** What is not in the log: only to viewers that keep up. */
  broadcast(frame: SessionFrame): void {
    let text: string | null = null;
    for (const ws of this.sockets()) {
      const mark = this.mark(ws);
      if (mark?.phase !== "live" || mark.isLagging) continue;
      text ??= encodeFrame(frame);
      this.#sendText(ws, mark, text);
    }
  }

  send(ws: WebSocket, frame: SessionFrame): void {
    const mark = this.mark(ws);
    if (mark !== null) this.#sendText(ws, mark, encodeFrame(frame));
  }

  acknowledge(ws: WebSocket, mark: ViewerMark, receivedBytes: number): void {
    mark.ackedBytes = Math.min(Math.max(mark.ackedBytes, receivedBytes), mark.sentBytes);
    if (mark.phase === "replaying") {
      this.#replay(ws, mark);
      // Text that streamed while the replay waited for this ack was not sent to this viewer.
      if (this.#isLive(mark)) this.#sendOpenBlocks(ws);
    }
    if (mark.isLagging && mark.sentBytes - mark.ackedBytes <= VIEWER_LAG_BYTES / 2) {
      mark.isLagging = false;
      this.#sendOpenBlocks(ws);
    }
    this.#marks.set(ws, mark);
  }

  history(ws: WebSocket, requestId: string, beforeSeq: number, limit: number): void {
    const entries = readBefore(this.#sql, beforeSeq, limit, VIEWER_LAG_BYTES);
    const first = entries[0];
    this.send(ws, { type: "history", requestId, entries, reachedStart: first === undefined || first.seq === 1 });
  }

  /** Notes a query on its way to the runner. False when this viewer has too many open. */
  noteQuery(ws: WebSocket, mark: ViewerMark, ourId: string, viewerId: string): boolean {
    if (Object.keys(mark.queries).length >= MAX_OPEN_QUERIES) return false;
    mark.queries[ourId] = viewerId;
    this.#marks.set(ws, mark);
    return true;
  }

  /** The viewer and its own request id for an answer of the runner. */
  takeQuery(ourId: string): { ws: WebSocket; requestId: string } | null {
    for (const ws of this.sockets()) {
      const mark = this.mark(ws);
      const requestId = mark?.queries[ourId];
      if (mark === null || requestId === undefined) continue;
      delete mark.queries[ourId];
      this.#marks.set(ws, mark);
      return { ws, requestId };
    }
    return null;
  }

  /** The runner is gone: nobody will answer. */
  refuseQueries(): void {
    for (const ws of this.sockets()) {
      const mark = this.mark(ws);
      if (mark === null) continue;
      const requestIds = Object.values(mark.queries);
      if (requestIds.length === 0) continue;
      mark.queries = {};
      this.#marks.set(ws, mark);
      for (const requestId of requestIds) this.refuse(ws, requestId, "runner_lost");
    }
  }

  refuse(ws: WebSocket, requestId: string, code: ErrorCode, detail?: string): void {
    const { message } = ERRORS[code];
    this.send(ws, { type: "refused", requestId, code, message, ...(detail === undefined ? {} : { detail }) });
  }

  closeAll(code: number, reason: string): void {
    for (const ws of this.sockets()) closeQuietly(ws, code, reason);
  }

  closeGrant(grantId: string): void {
    for (const ws of this.sockets()) if (this.mark(ws)?.grantId === grantId) closeQuietly(ws, CLOSE.revoked, "access ended");
  }

  connectedGrants(): string[] {
    return [...new Set(this.sockets().flatMap((ws) => this.mark(ws)?.grantId ?? []))];
  }

  #replay(ws: WebSocket, mark: ViewerMark): void {
    while (mark.phase === "replaying" && mark.sentBytes - mark.ackedBytes < VIEWER_LAG_BYTES) {
      const entries = readAfter(this.#sql, mark.cursor, REPLAY_PAGE_ENTRIES, REPLAY_CHUNK_BYTES);
      if (entries.length > 0) this.#sendEntries(ws, mark, entries);
      if (mark.cursor >= headSeq(this.#sql)) mark.phase = "live";
    }
    this.#marks.set(ws, mark);
  }

  #isLive(mark: ViewerMark): boolean {
    return mark.phase === "live";
  }

  #sendEntries(ws: WebSocket, mark: ViewerMark, entries: ReadEntry[]): void {
    mark.cursor = entries.at(-1)?.seq ?? mark.cursor;
    this.send(ws, { type: "events", entries, head: headSeq(this.#sql) });
  }

  #sendOpenBlocks(ws: WebSocket): void {
    for (const block of this.#live.snapshot()) this.send(ws, frameOf(block, 0));
  }

  #sendText(ws: WebSocket, mark: ViewerMark, text: string): void {
    try {
      ws.send(text);
    } catch {
      return; // Closed under us; its close event follows.
    }
    // UTF-16 units never exceed the UTF-8 bytes that a viewer may count: the drift is in its favour.
    this.#marks.addSent(ws, mark, text.length);
    const owedBytes = mark.sentBytes - mark.ackedBytes;
    if (owedBytes > VIEWER_CLOSE_BYTES) return closeQuietly(ws, CLOSE.resume, "too far behind");
    if (owedBytes > VIEWER_LAG_BYTES && mark.phase === "live" && !mark.isLagging) {
      mark.isLagging = true;
      this.#marks.set(ws, mark);
      this.send(ws, { type: "lagging" });
    }
  }
}
