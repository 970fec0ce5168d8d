/**
 * One Durable Object per machine: an adapter between its control socket, the sessions that use it, and the directory.
 *
 * Also, under one well-known name, the waiting room: sessions that take any of the operator's machines and found none.
 * Machines that connect wake it. Does not own: what a session does when it is woken. SPEC MA1–MA3.
 */
import { DurableObject } from "cloudflare:workers";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import { PROTOCOL_VERSION } from "@ai-dev-platform/protocol/version";
import { recordHello, recordOffline, recordOwnHello, recordRunning } from "../../db/machines.ts";
import { PLATFORM_VERSION } from "../../config.ts";
import { readConfig } from "../../env.ts";
import { createLogger } from "../../log.ts";
import type { Logger, StartOutcome } from "../../session/ports.ts";
import { sessionStub } from "../../session/stub.ts";
import { attachmentOf, ControlSockets, type Incoming } from "./control-sockets.ts";
import { Orders, PATIENCE, type Patience } from "./orders.ts";
import type { LivingRunner } from "./reconcile.ts";
import { Replies } from "./replies.ts";
import { Roster } from "./roster.ts";
import { judgePresence, type Presence } from "./presence.ts";
import { TraceBook } from "./trace-book.ts";
import { waitingRoom } from "./waiting-room.ts";
import { WaitingList } from "./waiting-list.ts";

type Hello = Extract<Incoming, { kind: "hello" }>["hello"];
type Frame = Extract<Incoming, { kind: "frame" }>["frame"];

/** Between two looks at sessions that still wait while there is room. */
const WAKE_AGAIN_MS = 5_000;

export class MachineDO extends DurableObject<Env> {
  /** How long answers are waited for. */
  patience: Patience = PATIENCE;
  readonly #roster: Roster;
  readonly #waiting: WaitingList;
  readonly #book: TraceBook;
  readonly #replies = new Replies();
  readonly #sockets: ControlSockets;
  readonly #orders: Orders;
  readonly #log: Logger = createLogger("machine");
  /** The machine itself says that it is full: ask again only when something ended there. */
  #isRefusing = false;
  #isAsking = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#roster = new Roster(ctx.storage.sql);
    this.#waiting = new WaitingList(ctx.storage.sql);
    this.#book = new TraceBook(ctx.storage.sql);
    this.#sockets = new ControlSockets(ctx);
    this.#orders = new Orders(this.#roster, this.#replies, this.#sockets);
  }

  /** The route has checked the token and the upgrade (controlRequest). */
  override async fetch(request: Request): Promise<Response> {
    return this.#sockets.accept(request);
  }

  /** Its owner removed the machine: what runs there ends, and the socket closes for good. SPEC MA6. */
  async revoke(): Promise<void> {
    const current = this.#sockets.current();
    const ended = this.#orders.killAll();
    this.#sockets.closeAll(CLOSE.revoked, "the machine was removed");
    this.#replies.disconnectAll();
    if (current !== null) await this.#record(() => recordOffline(this.env.DB, current.machineId, Date.now()));
    // A machine that does not obey has nothing of it: its runners' sessions go on without them, and fence them off.
    const lastWords = "Its owner removed the machine.";
    await Promise.all(ended.map((runner) => this.#reportExit({ ...toRunner(runner), exitCode: null, signal: null, lastWords })));
  }

  // --- for sessions ---

  /** `mayWait`: register the session here when there is no room. */
  async start(order: RunnerOrder, mayWait: boolean, sessionOwnerId = ""): Promise<StartOutcome> {
    await this.#dropSilent();
    if (order.source.kind === "path" && this.#sockets.current()?.ownerId === null && !readConfig(this.env).localPaths) {
      return { kind: "failed", code: "workspace_path_refused", detail: "Folders of this machine are not opened.", isTransient: false };
    }
    const outcome = await this.#orders.start(order, sessionOwnerId, this.patience.startReplyMs);
    if (outcome.kind === "started") this.ctx.waitUntil(this.#recordRunning());
    if (outcome.kind !== "waiting") {
      this.#waiting.drop(order.sessionId);
      return outcome;
    }
    if (outcome.code === "machine_full" && this.#room() > 0) this.#isRefusing = true;
    if (outcome.code === "machine_full") this.ctx.waitUntil(this.#askForRoom(order.sessionId));
    if (!mayWait) return outcome;
    this.#waiting.add(order.sessionId);
    if (outcome.code !== "no_machine") return outcome;
    const { name } = this.#book.get();
    return { ...outcome, ...(name === "" ? {} : { hostName: name, offlineSince: this.#presence().since }) };
  }

  /** What a screen shows of it, as it is now. */
  async look(): Promise<Presence & { folders: string[]; sessionIds: string[] }> {
    const running = this.#roster.all().filter(({ state }) => state === "running");
    return { ...this.#presence(), folders: this.#book.get().folders, sessionIds: running.map(({ sessionId }) => sessionId) };
  }

  async kill(sessionId: string, incarnation: number): Promise<void> {
    await this.#orders.kill({ sessionId, incarnation }, this.patience.killReplyMs);
  }

  async forget(sessionId: string): Promise<void> {
    this.#waiting.drop(sessionId);
    this.#orders.forget(sessionId);
  }

  #presence(): Presence {
    const current = this.#sockets.current();
    const connection = current === null ? null : { helloAt: current.connected.helloAt, lastHeardAt: this.#sockets.lastHeardAt(current) };
    const isBusy = this.#roster.countBusy() > 0;
    return judgePresence(connection, this.#book.get(), { isBusy, silenceMs: this.patience.silenceMs, now: Date.now() });
  }

  // --- for the waiting room ---

  async wait(sessionId: string): Promise<void> {
    this.#waiting.add(sessionId);
  }

  async stopWaiting(sessionId: string): Promise<void> {
    this.#waiting.drop(sessionId);
  }

  /** Wakes the oldest; true when more wait. */
  async wakeWaiting(limit: number): Promise<boolean> {
    const wake = async (waiting: { sessionId: string; stamp: number }) => {
      try {
        await sessionStub(this.env, waiting.sessionId).hostAvailable();
        this.#waiting.remove(waiting);
      } catch (cause) {
        this.#warn("wake_failed", cause);
      }
    };
    await Promise.all(this.#waiting.oldest(limit).map(wake));
    return !this.#waiting.isEmpty();
  }

  // --- the machine's socket ---

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const incoming = this.#sockets.read(socket, message);
    if (incoming.kind === "refused") socket.close(incoming.code, incoming.reason);
    else if (incoming.kind === "hello") this.#hello(socket, incoming.hello);
    else this.#frame(incoming.frame, attachmentOf(socket).ownerId);
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    // Completes the closing handshake; a hibernatable socket does not by itself. Codes that cannot be sent become 1000.
    socket.close(code === 1_000 || code >= 3_000 ? code : CLOSE.done);
    await this.#gone(socket, Date.now(), code === CLOSE.done);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.#gone(socket, Date.now(), false);
  }

  override async alarm(): Promise<void> {
    await this.#wake();
  }

  #hello(socket: WebSocket, hello: Hello): void {
    const now = Date.now();
    const replaced = this.#sockets.promote(socket, hello, now);
    this.#book.came(hello.name, now);
    this.#replies.disconnectAll();
    this.#isRefusing = false;
    const other = replaced === null ? {} : { replaced };
    this.#sockets.send({ type: "welcome", version: PROTOCOL_VERSION, serverVersion: PLATFORM_VERSION, ...other });
    if (replaced !== null) this.#log.warn("machine_replaced", { machineId: hello.machineId });
    const { ownerId } = attachmentOf(socket);
    const gone = this.#orders.reconcile(ownerId === null ? hello.running : this.#orders.ownRunners(hello.running));
    this.#log.info("machine_hello", { machineId: hello.machineId, running: hello.running.length, gone: gone.length });
    this.ctx.waitUntil(this.#afterHello(socket, hello, gone));
  }

  /** The directory first: a session that finds no machine there registers in the waiting room, which is woken after it. */
  async #afterHello(socket: WebSocket, hello: Hello, gone: { sessionId: string; incarnation: number }[]): Promise<void> {
    const { machineId, name, platform, agentVersion, capacity, allowsPaths } = hello;
    const about = { machineId, name, platform, agentVersion, capacity, allowsPaths };
    const row = { ...about, running: this.#roster.countBusy(), at: Date.now() };
    const { ownerId } = attachmentOf(socket);
    await this.#record(async () => {
      if (ownerId === null) await recordHello(this.env.DB, row);
      // Removed between the door and this hello.
      else if (!(await recordOwnHello(this.env.DB, row, ownerId))) socket.close(CLOSE.revoked, "the machine was removed");
    });
    const lastWords = "The runner was gone when its machine came back.";
    await Promise.all(gone.map((runner) => this.#reportExit({ ...runner, exitCode: null, signal: null, lastWords })));
    await this.#wake();
  }

  #frame(frame: Frame, ownerId: string | null): void {
    if (frame.type === "about") return this.#book.setFolders(frame.folders);
    if (frame.type === "reply") {
      const hasRoom = this.#roster.settle(frame.requestId, frame.ok);
      this.#replies.settle(frame.requestId, frame);
      if (hasRoom) this.ctx.waitUntil(this.#roomMade());
      return;
    }
    const hasRoom = this.#roster.ended(frame.sessionId, frame.incarnation);
    this.#isRefusing = false;
    // A person's own machine speaks for the runners that it was given, and for no other session. SPEC MA7.
    if (!hasRoom && ownerId !== null) return;
    const { sessionId, incarnation, exitCode, signal, lastWords } = frame;
    this.ctx.waitUntil(this.#reportExit({ sessionId, incarnation, exitCode, signal, lastWords }));
    if (hasRoom) this.ctx.waitUntil(this.#roomMade());
  }

  async #dropSilent(): Promise<void> {
    const silent = this.#sockets.silent(this.patience.silenceMs, Date.now());
    if (silent === null) return;
    const lastHeardAt = this.#presence().since;
    silent.close(CLOSE.resume, "nothing was heard for too long");
    await this.#gone(silent, lastHeardAt, false);
  }

  async #gone(socket: WebSocket, at: number, hasLeft: boolean): Promise<void> {
    const { machineId, connected } = attachmentOf(socket);
    // A socket that was closed for its silence is told of once more when its close completes.
    if (connected === null || this.#sockets.current() !== null || this.#book.get().goneAt >= connected.helloAt) return;
    this.#book.went(at, hasLeft);
    this.#replies.disconnectAll();
    this.#log.info("machine_gone", { machineId });
    await this.#record(() => recordOffline(this.env.DB, machineId, at));
  }

  /** Somebody waits: a session whose runner idles here lets it go to sleep, saved. One is enough. */
  async #askForRoom(forSessionId: string): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      for (const { sessionId, state } of this.#roster.all()) {
        if (state !== "running" || sessionId === forSessionId) continue;
        if (await sessionStub(this.env, sessionId).yieldRunner()) return;
      }
    } catch (cause) {
      this.#warn("room_not_asked", cause);
    } finally {
      this.#isAsking = false;
    }
  }

  async #roomMade(): Promise<void> {
    await this.#recordRunning();
    await this.#wake();
  }

  /** Wakes as many as there is room for; those that do not need it make place for the next by the alarm. */
  async #wake(): Promise<void> {
    let more = await this.#wakeFrom((room) => this.wakeWaiting(room));
    // Who waits for any machine waits for one of the operator's.
    if (this.#sockets.current()?.ownerId === null) {
      more = (await this.#wakeFrom((room) => waitingRoom(this.env).wakeWaiting(room))) || more;
    }
    if (more && this.#room() > 0) await this.ctx.storage.setAlarm(Date.now() + WAKE_AGAIN_MS);
  }

  async #wakeFrom(wake: (room: number) => Promise<boolean>): Promise<boolean> {
    const room = this.#room();
    return room > 0 && (await wake(room));
  }

  #room(): number {
    const current = this.#sockets.current();
    return current === null || this.#isRefusing ? 0 : Math.max(0, current.connected.capacity - this.#roster.countBusy());
  }

  async #reportExit(exit: {
    sessionId: string;
    incarnation: number;
    exitCode: number | null;
    signal: string | null;
    lastWords: string;
  }): Promise<void> {
    const { sessionId, ...report } = exit;
    try {
      await sessionStub(this.env, sessionId).runnerExited(report);
    } catch (cause) {
      // The session finds out by itself: its runner's link is gone too.
      this.#warn("exit_not_reported", cause);
    }
  }

  async #recordRunning(): Promise<void> {
    const current = this.#sockets.current();
    if (current !== null) await this.#record(() => recordRunning(this.env.DB, current.machineId, this.#roster.countBusy(), Date.now()));
  }

  /** The directory is a late cache: a write that fails is made good by the next one. */
  async #record(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (cause) {
      this.#warn("directory_write_failed", cause);
    }
  }

  #warn(event: string, cause: unknown): void {
    this.#log.warn(event, { reason: cause instanceof Error ? cause.message : String(cause) });
  }
}

const toRunner = ({ sessionId, incarnation }: LivingRunner): LivingRunner => ({ sessionId, incarnation });
