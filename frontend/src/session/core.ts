/**
 * A session as this browser lives it: socket, replica, outbox, requests and cache put together, without React. What arrives is
 * gathered and applied in order at each commit; the store is written nowhere else. One core serves one session for as long as
 * its page is open.
 */
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { judgeVersion } from "@ai-dev-platform/protocol/version";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type { SessionFrame } from "@ai-dev-platform/protocol/viewer";
import { LOCAL_ERRORS } from "../api/local-errors.ts";
import { FrameSigner } from "../signing/frame-signer.ts";
import { buildView } from "../transcript/view.ts";
import { createCommitter, type Committer } from "./commits.ts";
import { connectionOf, sameConnection } from "./connection.ts";
import { initialLink, type LinkInput, type LinkState } from "./link.ts";
import { forgetCachedSession, loadCachedSession, loadPrompts, loadToggles, saveCachedSession, saveToggles, storageEpoch } from "./cache.ts";
import { OutboxDesk } from "./outbox-desk.ts";
import {
  emptyReplica,
  receiveEvents,
  receiveHistory,
  receiveLive,
  receiveOutput,
  receiveWelcome,
  restoreEntries,
  type Replica,
} from "./replica.ts";
import { actionError, createRequests, type ActionError, type Answer, type RequestFrame, type Requests } from "./requests.ts";
import { SessionSocket, type SocketLike } from "./socket.ts";
import { createStore, type SessionStore, type WritableStore } from "./store.ts";
import { openTurns, threadOf } from "./threads.ts";

const CACHE_DELAY_MS = 2_000;
/** A browser's storage that does not answer holds nothing up for longer than this. */
const RESTORE_DEADLINE_MS = 400;

const hasOpenTurnIn = (state: SessionState | null, thread: string): boolean => state !== null && threadOf(state, thread).turn !== null;

export interface CorePorts {
  sessionId: string;
  url: string;
  getTicket(): Promise<{ ticket: string }>;
  createSocket(url: string, protocols: string[]): SocketLike;
  now(): number;
  random(): number;
  isOnline(): boolean;
  isHidden(): boolean;
  isCoarse(): boolean;
}

export class SessionCore {
  readonly store: SessionStore;
  readonly outbox: OutboxDesk;
  readonly requests: Requests;
  readonly socket: SessionSocket;
  readonly signer: FrameSigner;
  readonly #ports: CorePorts;
  readonly #store: WritableStore;
  readonly #committer: Committer;
  readonly #replica: Replica = emptyReplica();
  #link: LinkState;
  #arrived: SessionFrame[] = [];
  /** The newest, which may wait for its rows before it is shown. */
  #greeting: Extract<SessionFrame, { type: "welcome" }> | null = null;
  #restored: Promise<void> = Promise.resolve();
  #structureShown = -1;
  #viewIsStale = true;
  #cacheTimer: ReturnType<typeof setTimeout> | undefined;
  #cachedSeq: number | null = null;
  readonly #epoch = storageEpoch();

  constructor(ports: CorePorts) {
    this.#ports = ports;
    this.#link = initialLink(ports.now());
    this.#store = createStore(ports.now(), loadToggles(ports.sessionId), (id) => this.#replica.rows.byId.get(id));
    this.store = this.#store;
    this.#committer = createCommitter(
      () => this.#commit(),
      () => ({ isHidden: ports.isHidden(), isCoarse: ports.isCoarse() }),
      ports.now,
    );
    this.socket = new SessionSocket({
      ...ports,
      // What is kept here decides where the session has to begin: both are fetched side by side.
      getTicket: () => Promise.all([ports.getTicket(), this.#restored]).then(([ticket]) => ticket),
      afterSeq: () => this.#replica.lastSeq,
      onFrame: (frame) => this.#receive(frame),
      onLink: (link, closeCode) => this.#linkChanged(link, closeCode),
    });
    this.signer = new FrameSigner({
      sessionId: ports.sessionId,
      state: () => this.#newestState(),
      userId: () => this.#greeting?.userId ?? null,
      isOpen: () => this.#link.phase === "open",
      send: (frame) => this.socket.send(frame),
      load: () => import("../signing/sign.ts"),
    });
    this.requests = createRequests((frame) => this.signer.send(frame));
    this.outbox = new OutboxDesk({
      sessionId: ports.sessionId,
      now: ports.now,
      send: ({ promptId, text, delivery, thread }) =>
        this.signer.send({ type: "prompt", promptId, text, delivery, ...(thread === undefined ? {} : { thread }) }),
      onChange: () => this.#outboxChanged(),
    });
  }

  /** Shows what is kept from an earlier visit and connects at the same time. */
  start(): void {
    const { sessionId } = this.#ports;
    this.#restored = Promise.race([this.#restore(), new Promise<void>((resolve) => setTimeout(resolve, RESTORE_DEADLINE_MS))]);
    this.socket.input({ type: "start" });
    void loadPrompts(sessionId).then((kept) => this.outbox.restore(kept, this.#link.phase === "open"));
  }

  async #restore(): Promise<void> {
    const kept = await loadCachedSession(this.#ports.sessionId);
    if (kept === null || this.#replica.lastSeq !== null || this.#link.phase === "ended") return;
    restoreEntries(this.#replica, kept.entries, kept.state);
    this.#committer.flush();
  }

  stop(): void {
    this.socket.input({ type: "stop" });
    this.#committer.stop();
    this.outbox.stop();
    this.requests.failAll(actionError("unavailable"));
    this.keep();
  }

  /** The page or the network changed: what gathered while nobody looked is shown at once. */
  wake(input: LinkInput): void {
    this.#committer.flush();
    this.socket.input(input);
  }

  /** Writes the newest entries for the next visit. */
  keep(): void {
    clearTimeout(this.#cacheTimer);
    this.#cacheTimer = undefined;
    const { entries, lastSeq, state } = this.#replica;
    if (this.#epoch !== storageEpoch() || lastSeq === this.#cachedSeq || entries.length === 0 || this.#link.phase === "ended") return;
    this.#cachedSeq = lastSeq;
    void saveCachedSession(this.#ports.sessionId, entries, state);
  }

  setToggle(rowId: string, isOpen: boolean): void {
    const toggles = new Map(this.#store.toggles.get());
    // Newest last, so that the oldest choices are the ones forgotten.
    toggles.delete(rowId);
    toggles.set(rowId, isOpen);
    this.#store.toggles.set(toggles);
    saveToggles(this.#ports.sessionId, toggles);
    if (rowId.startsWith("work:")) {
      this.#viewIsStale = true;
      this.#committer.flush();
    }
  }

  /** Shows another thread's rows. Prompts and Stop are for the one that is shown. */
  showThread(thread: string): void {
    if (thread === this.#store.thread.get()) return;
    this.#store.thread.set(thread);
    this.#viewIsStale = true;
    this.#committer.flush();
  }

  /** Asks the session; refused at once when this session is over for this viewer. */
  ask(frame: RequestFrame): Promise<Answer> {
    return this.#link.phase === "ended" ? Promise.reject(this.#endedError()) : this.requests.ask(frame);
  }

  get sessionId(): string {
    return this.#ports.sessionId;
  }

  get oldestSeq(): number | null {
    return this.#replica.entries[0]?.seq ?? null;
  }

  #receive(frame: SessionFrame): void {
    this.#arrived.push(frame);
    switch (frame.type) {
      case "welcome":
        this.#greeting = frame;
        // After a reset the rows follow in the next frame: both are shown in one step.
        if (frame.mode === "resume" || frame.head === 0) this.#committer.flush();
        if (judgeVersion(frame.version) !== "ok") return this.socket.input({ type: "closed", code: CLOSE.incompatible });
        return this.#greeted();
      case "reply":
      case "refused":
      case "history":
      case "prompt_ack":
      case "prompt_refused":
        return this.#committer.flush();
      default:
        return this.#committer.request();
    }
  }

  #newestState(): SessionState | null {
    const [shown, greeted] = [this.#replica.state, this.#greeting?.state ?? null];
    return shown !== null && shown.seq >= (greeted?.seq ?? 0) ? shown : greeted;
  }

  #greeted(): void {
    this.requests.resend();
    this.outbox.connected();
  }

  #apply(frame: SessionFrame): void {
    const { now } = this.#ports;
    switch (frame.type) {
      case "welcome":
        receiveWelcome(this.#replica, frame);
        this.#store.viewer.set({ role: frame.role, userId: frame.userId, name: frame.name });
        this.#store.meter.set(null);
        return;
      case "events":
        return this.#applyEvents(frame);
      case "live":
        return receiveLive(this.#replica, frame, now());
      case "execution_output":
        return receiveOutput(this.#replica, frame);
      case "meter":
        return this.#store.meter.set({ costUsd: frame.costUsd, turnCostUsd: frame.turnCostUsd });
      case "progress":
        return this.#store.progress.set({ step: frame.step, detail: frame.detail, startedAt: frame.startedAt });
      case "history":
        receiveHistory(this.#replica, frame.entries, frame.reachedStart);
        return this.requests.answered(frame.requestId, { type: "history", entries: frame.entries, reachedStart: frame.reachedStart });
      case "prompt_ack":
        return this.outbox.acknowledged(frame.promptId);
      case "prompt_refused":
        return this.outbox.refused(frame.promptId, frame.message);
      case "reply":
        return this.requests.answered(frame.requestId, { type: "reply", result: frame.result });
      case "refused":
        return this.requests.refused(frame.requestId, {
          code: frame.code,
          detail: frame.detail,
          message: frame.detail === undefined ? frame.message : `${frame.message} (${frame.detail})`,
        });
      case "lagging":
        return;
    }
  }

  #applyEvents(frame: Extract<SessionFrame, { type: "events" }>): void {
    const before = this.#replica.state;
    const received = receiveEvents(this.#replica, frame);
    const after = this.#replica.state;
    for (const { event } of frame.entries) if (event.type === "prompt_queued") this.outbox.acknowledged(event.promptId);
    if (before?.host !== after?.host || before?.saved !== after?.saved || before?.saveProblem !== after?.saveProblem)
      this.#store.progress.set(null);
    if (before?.threads !== after?.threads && after !== null && openTurns(after).length === 0) this.#store.meter.set(null);
    if (received === "gap") this.socket.input({ type: "gap" });
  }

  #commit(): boolean {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const frame of arrived) this.#apply(frame);
    this.#publish();
    if (this.#replica.lastSeq !== this.#cachedSeq) this.#cacheTimer ??= setTimeout(() => this.keep(), CACHE_DELAY_MS);
    return arrived.length > 0;
  }

  #publish(): void {
    const { rows, state, hasOlder, lastSeq, head } = this.#replica;
    const thread = this.#store.thread.get();
    const hadOpenTurn = hasOpenTurnIn(this.#store.state.get(), thread);
    this.#store.state.set(state);
    const hasOpenTurn = hasOpenTurnIn(state, thread);
    const changed = new Set(rows.changed);
    rows.changed.clear();
    if (rows.structure !== this.#structureShown || this.#viewIsStale || hadOpenTurn !== hasOpenTurn) {
      this.#structureShown = rows.structure;
      this.#viewIsStale = false;
      const before = this.#store.view.get();
      const view = buildView(rows, this.#store.outbox.get(), this.#store.toggles.get(), { thread, hasOpenTurn });
      for (const id of [...before.tail.keys(), ...view.tail.keys()]) changed.add(id);
      const isSame =
        before.tail.size + view.tail.size === 0 &&
        before.ids.length === view.ids.length &&
        before.ids.every((id, index) => id === view.ids[index]);
      if (!isSame) this.#store.view.set(view);
    }
    this.#store.notifyRows(changed);
    const history = this.#store.history.get();
    if (history.hasOlder !== hasOlder) this.#store.history.set({ ...history, hasOlder });
    this.#showConnection(lastSeq, head);
  }

  #showConnection(lastSeq: number | null, head: number): void {
    const connection = connectionOf(this.#link, lastSeq, head);
    if (!sameConnection(connection, this.#store.connection.get())) this.#store.connection.set(connection);
  }

  setHistoryLoading(isLoading: boolean): void {
    this.#store.history.set({ ...this.#store.history.get(), isLoading });
  }

  #linkChanged(link: LinkState, closeCode: number | null): void {
    this.#link = link;
    if (closeCode === CLOSE.badFrame) this.outbox.refuseSending(LOCAL_ERRORS.bad_frame.message);
    // `open` is entered just before its welcome is read; everything else means that no frame can be sent.
    if (link.phase !== "open") this.outbox.disconnected();
    if (link.phase === "ended") this.#ended();
    this.#committer.flush();
  }

  #ended(): void {
    clearTimeout(this.#cacheTimer);
    this.requests.failAll(this.#endedError());
    void forgetCachedSession(this.#ports.sessionId);
  }

  #endedError(): ActionError {
    return actionError(
      this.#link.endedReason === "deleted"
        ? "session_deleted"
        : this.#link.endedReason === "incompatible"
          ? "incompatible_version"
          : "not_found",
    );
  }

  #outboxChanged(): void {
    this.#store.outbox.set(this.outbox.prompts);
    this.#viewIsStale = true;
    this.#committer.request();
  }
}
