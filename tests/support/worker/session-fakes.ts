/**
 * Stand-ins for everything around a session: a host, a runner, viewers, a snapshot store, a directory and a clock.
 * Tests run in the session's isolate, so the wiring is replaced by value and survives an eviction of the object.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { RunnerEvent, ReadEntry } from "@ai-dev-platform/protocol/events";
import { formatId, ID_RANDOM_BYTES, type IdKind } from "@ai-dev-platform/protocol/ids";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import type { Role } from "@ai-dev-platform/protocol/roles";
import {
  runnerOrderFrameSchema,
  type McpServerConfig,
  type OutboxBody,
  type RunnerFrame,
  type RunnerOrderFrame,
} from "@ai-dev-platform/protocol/runner";
import type { InheritedPart } from "@ai-dev-platform/protocol/snapshot";
import { PROTOCOL_VERSION, VIEWER_SUBPROTOCOL } from "@ai-dev-platform/protocol/version";
import type { SessionFrame, ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import { directHost } from "../../../worker/hosts/direct/direct-host.ts";
import { VOUCHED_LINK_PATH, type SessionInit } from "../../../worker/session/api.ts";
import type {
  DirectoryRow,
  Notice,
  EgressPolicy,
  HostOrder,
  HostStatus,
  RunnerHost,
  SessionPorts,
  SnapshotStore,
  StartOutcome,
} from "../../../worker/session/ports.ts";
import type { Place } from "../../../worker/session/place.ts";
import { wiring } from "../../../worker/session/session-do.ts";
import { sessionStub, type SessionStub } from "../../../worker/session/stub.ts";
import { hashToken, vouchedTokenOf } from "../../../worker/session/tokens.ts";
import { r2SavedFiles } from "../../../worker/snapshots/saved-files.ts";

const WAIT_MS = 4_000;

export const freshId = (kind: IdKind): string => formatId(kind, crypto.getRandomValues(new Uint8Array(ID_RANDOM_BYTES)));

/** Polls the event loop until `read` gives a value. Waits on a condition, never on a guessed time. */
export async function until<T>(read: () => T | null | undefined | false, what: string): Promise<T> {
  const deadlineAt = Date.now() + WAIT_MS;
  for (;;) {
    const value = read();
    if (value !== null && value !== undefined && value !== false) return value;
    if (Date.now() > deadlineAt) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export class FakeHost implements RunnerHost {
  kind: RunnerHost["kind"] = "machine";
  orders: HostOrder[] = [];
  touches: { incarnation: number; ttlMs: number }[] = [];
  statusNow: HostStatus = { state: "unknown", incarnation: null };
  /** A call to a host that is down. */
  killFails = false;
  /** When set, a start is answered only when this resolves. */
  startGate: Promise<void> = Promise.resolve();
  kills: number[] = [];
  forgotten = 0;
  outcome: StartOutcome = { kind: "started", hostName: "test machine" };
  /** When set, a kill is answered only when this resolves. */
  killGate: Promise<void> = Promise.resolve();

  async start(order: HostOrder): Promise<StartOutcome> {
    this.orders.push(order);
    await this.startGate;
    return this.outcome;
  }
  async touch(_sessionId: string, incarnation: number, ttlMs: number): Promise<void> {
    this.touches.push({ incarnation, ttlMs });
  }
  async status(): Promise<HostStatus> {
    return this.statusNow;
  }
  async kill(_sessionId: string, incarnation: number): Promise<void> {
    this.kills.push(incarnation);
    if (this.killFails) throw new Error("the host is down");
    await this.killGate;
  }
  async forget(): Promise<void> {
    this.forgotten += 1;
  }
}

export class FakeSnapshots implements SnapshotStore {
  complete = true;
  /** Whether parts of dependencies are there, and which were asked for. */
  layersStored = true;
  asked: string[] = [];
  removed: string[] = [];
  removedAll = 0;
  checks = 0;
  /** Names that were to be kept, at each sweep. */
  sweeps: string[][] = [];
  /** Objects that a sweep finds too young. */
  young = 0;
  sweepGate: Promise<void> = Promise.resolve();
  /** When set, a check is answered only when this resolves. */
  gate: Promise<void> = Promise.resolve();

  async isComplete(): Promise<boolean> {
    this.checks += 1;
    await this.gate;
    return this.complete;
  }
  async hasParts(_sessionId: string, parts: readonly InheritedPart[]): Promise<boolean> {
    this.asked.push(...parts.map((part) => part.snapshotId));
    return this.layersStored;
  }
  async removeParts(_sessionId: string, parts: readonly InheritedPart[]): Promise<void> {
    this.removed.push(...parts.map((part) => part.snapshotId));
  }
  async removeAll(): Promise<void> {
    this.removedAll += 1;
  }
  async sweep(_sessionId: string, kept: () => ReadonlySet<string>): Promise<{ removed: number; young: number }> {
    this.sweeps.push([...kept()]);
    await this.sweepGate;
    return { removed: 0, young: this.young };
  }
}

/** Registries are open, what is listed or allowed is open, `never.test` is not. The real rules have tests of their own. */
const plainPolicy: EgressPolicy = {
  decide: ({ level, hosts }, allowances, { host }) => {
    if (host === "never.test") return { decision: "deny", reason: "never" };
    const isOpen = level === "full" || [...allowances, ...(level === "none" ? [] : [...hosts, "registry.test"])].includes(host);
    return isOpen ? { decision: "allow", reason: "open" } : { decision: "deny", reason: "not_listed" };
  },
};

/** Everything one test session is given, and the handles to drive it. */
export class SessionWorld {
  readonly sessionId = freshId("session");
  readonly host = new FakeHost();
  readonly snapshots = new FakeSnapshots();
  readonly rows: DirectoryRow[] = [];
  /** Sessions that took themselves out of the list. */
  readonly unlisted: string[] = [];
  readonly logged: string[] = [];
  readonly notices: Notice[] = [];
  /** So many calls to tell them break first. */
  noticeFailures = 0;
  noticeCalls = 0;
  /** When set, they are told only when this resolves. */
  noticeGate: Promise<void> = Promise.resolve();
  mcpServers: McpServerConfig[] = [];
  directoryFails = false;
  /** In place of the stand-in, from the object's next life on. */
  store: SnapshotStore | null = null;
  /** Of storage; null: no limit. */
  allowanceBytes: number | null = null;
  spentRemovals = 0;
  /** Hosts that the owner allowed in all sessions. */
  always: string[] = [];
  alwaysFails = false;
  /** Why a kind of host is not offered. */
  readonly refusals = new Map<string, string>();
  readonly ownMachines = new Set<string>();
  now = Date.now();

  /** The namespace's own stub: what the test runtime's tools take. */
  get object() {
    return env.SESSION.getByName(this.sessionId);
  }
  get stub(): SessionStub {
    return sessionStub(env, this.sessionId);
  }

  readonly #hosts = new Map<string, FakeHost>();

  /** Another place that the session may move to. A sandbox has no name of its own: the newest world that has one gets it. */
  alsoAt(place: Place): FakeHost {
    const host = new FakeHost();
    host.kind = place.host;
    this.#hosts.set(JSON.stringify(place), host);
    worlds.set(place.machineId ?? place.host, this);
    return host;
  }

  /** The real host that answers by itself, in this world until `leaveDirect`: direct sessions have no machine to find it by. */
  alsoDirect(): void {
    this.#isDirectReal = true;
    worlds.set("direct", this);
  }
  static leaveDirect(): void {
    worlds.delete("direct");
  }
  hasAgent = true;
  #isDirectReal = false;

  ports(place: Place = { host: "machine", machineId: null }): SessionPorts {
    const note = (event: string, fields?: Record<string, unknown>) => void this.logged.push(`${event} ${JSON.stringify(fields ?? {})}`);
    return {
      clock: { now: () => this.now },
      random: { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
      host: this.#hostAt(place),
      snapshots: this.store ?? this.snapshots,
      savedFiles: r2SavedFiles(env.BUCKET),
      storage: {
        bytesFor: async () => this.allowanceBytes,
        removeSpent: async () => void (this.spentRemovals += 1),
      },
      directory: {
        update: async (_sessionId, row) => {
          if (this.directoryFails) throw new Error("directory is down");
          this.rows.push(row);
        },
        remove: async (sessionId) => {
          if (this.directoryFails) throw new Error("directory is down");
          this.unlisted.push(sessionId);
        },
      },
      settings: { mcpServers: async () => this.mcpServers },
      allowedHosts: {
        list: async () => [...this.always],
        add: async (_userId, host) => {
          if (this.alwaysFails) throw new Error("directory is down");
          this.always.push(host);
        },
      },
      offers: {
        refusal: async (_ownerId, place) => this.refusals.get(place.host) ?? null,
        isOwnMachine: async (machineId) => this.ownMachines.has(machineId),
        hasAgent: () => this.hasAgent,
      },
      egress: plainPolicy,
      notices: {
        tell: async (_ownerId, notices) => {
          this.noticeCalls += 1;
          await this.noticeGate;
          if (this.noticeFailures > 0) {
            this.noticeFailures -= 1;
            throw new Error("nobody listens");
          }
          this.notices.push(...notices);
        },
      },
      log: { info: note, warn: note, error: note },
    };
  }

  #hostAt(place: Place): RunnerHost {
    if (place.host === "direct" && this.#isDirectReal) return directHost(env);
    return this.#hosts.get(JSON.stringify({ host: place.host, machineId: place.machineId })) ?? this.host;
  }

  init(patch: Partial<SessionInit> = {}): SessionInit {
    return {
      sessionId: this.sessionId,
      ownerId: "user-1",
      ownerName: "Ada",
      title: "A session",
      projectId: freshId("project"),
      projectName: "project",
      source: { kind: "empty" },
      trustProject: false,
      lifecycle: "hydrated",
      mode: "default",
      model: "default",
      modelSource: "key",
      machineId: this.machineId,
      budgetUsd: 5,
      prompt: null,
      ...patch,
    };
  }

  /** Names this world in the wiring: each session's ports are found by its machine. */
  readonly machineId = freshId("machine");

  async advance(ms: number): Promise<void> {
    this.now += ms;
    await runDurableObjectAlarm(this.object);
  }

  async ticket(
    role: Role = "owner",
    grant: Partial<{ grantId: string; grantExpiresAt: number | null; userId: string | null }> = {},
  ): Promise<string> {
    const grantId = grant.grantId ?? (role === "owner" ? "owner" : freshId("share"));
    const minted = await this.stub.mintTicket({
      userId: grant.userId === undefined ? "user-1" : grant.userId,
      name: "Ada",
      role,
      grantId,
      grantExpiresAt: grant.grantExpiresAt ?? null,
    });
    if (!minted.ok) throw new Error(minted.code);
    return minted.ticket;
  }

  async viewer(role: Role = "owner", grant: Parameters<SessionWorld["ticket"]>[1] = {}): Promise<Viewer> {
    return Viewer.open(this, await this.ticket(role, grant));
  }

  /** A viewer that has said hello and caught up. */
  async watching(role: Role = "owner", grant: Parameters<SessionWorld["ticket"]>[1] = {}): Promise<Viewer> {
    const viewer = await this.viewer(role, grant);
    await viewer.hello(null);
    return viewer;
  }

  /** The runner that the newest order asked for, connected, greeted and ready. */
  async readyRunner(host = this.host): Promise<FakeRunner> {
    const runner = await this.dialRunner(host);
    await runner.greet();
    runner.send({ type: "ready", openTurnId: null });
    return runner;
  }

  async dialRunner(host = this.host): Promise<FakeRunner> {
    const order = await until(() => host.orders.at(-1), "an order to start a runner");
    return FakeRunner.dial(this, order);
  }

  /** A session with a viewer, whose first prompt runs on a ready runner. */
  static async running(
    text = "do it",
    patch: Partial<SessionInit> = {},
  ): Promise<{ world: SessionWorld; viewer: Viewer; runner: FakeRunner; turnId: string; promptId: string }> {
    const world = await SessionWorld.create(patch);
    const viewer = await world.watching();
    const promptId = viewer.prompt(text);
    const runner = await world.readyRunner();
    const { turnId } = await runner.until("prompt", (frame) => frame.promptId === promptId);
    return { world, viewer, runner, turnId, promptId };
  }

  static async create(patch: Partial<SessionInit> = {}): Promise<SessionWorld> {
    const world = new SessionWorld();
    worlds.set(world.machineId, world);
    world.host.kind = patch.host ?? "machine";
    const outcome = await world.stub.create(world.init(patch));
    if (!outcome.ok) throw new Error(outcome.code);
    return world;
  }

  async rowCount(table: string): Promise<number> {
    return runInDurableObject(
      this.object,
      (_instance, state) => state.storage.sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`).one().n,
    );
  }

  /** All that the object stores, as text. */
  async dump(): Promise<string> {
    return runInDurableObject(this.object, (_instance, { storage }) => {
      const tables = storage.sql
        .exec<{ name: string }>(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'`)
        .toArray();
      return tables.map(({ name }) => JSON.stringify(storage.sql.exec(`SELECT * FROM ${name}`).toArray())).join("\n");
    });
  }

  async entries(): Promise<{ seq: number; type: string }[]> {
    return runInDurableObject(this.object, (_instance, state) =>
      state.storage.sql.exec<{ seq: number; type: string }>(`SELECT seq, event ->> '$.type' AS type FROM events ORDER BY seq`).toArray(),
    );
  }
}

const worlds = new Map<string, SessionWorld>();

/** Files share one isolate: a world of one file must not take in the sessions of the next. */
export const forgetWorlds = (): void => worlds.clear();

/** Call once in each test file. Sessions of no world keep the real wiring. */
export function installWorlds(): void {
  const real = wiring.portsFor;
  wiring.portsFor = (bindings, place) => worlds.get(place.machineId ?? place.host)?.ports(place) ?? real(bindings, place);
}

/** A socket's other end: keeps every frame that arrived and how it was closed. */
class Peer<Frame extends { type: string }> {
  readonly ws: WebSocket;
  readonly frames: Frame[] = [];
  closed: { code: number; reason: string } | null = null;
  receivedBytes = 0;

  constructor(ws: WebSocket, read: (text: string) => Frame) {
    this.ws = ws;
    ws.accept();
    ws.addEventListener("message", (event) => {
      if (typeof event.data !== "string" || event.data === "pong") return;
      this.receivedBytes += new TextEncoder().encode(event.data).length;
      this.frames.push(read(event.data));
    });
    ws.addEventListener("close", (event) => {
      this.closed ??= { code: event.code, reason: event.reason };
    });
  }

  sendRaw(text: string): void {
    this.ws.send(text);
  }

  of<T extends Frame["type"]>(type: T): Extract<Frame, { type: T }>[] {
    return this.frames.filter((frame): frame is Extract<Frame, { type: T }> => frame.type === type);
  }

  async until<T extends Frame["type"]>(
    type: T,
    test: (frame: Extract<Frame, { type: T }>) => boolean = () => true,
  ): Promise<Extract<Frame, { type: T }>> {
    try {
      return await until(() => this.of(type).find(test), `a ${type} frame`);
    } catch (error) {
      throw new Error(
        `${String(error)}; got ${JSON.stringify(this.frames.map((frame) => frame.type))}, closed ${JSON.stringify(this.closed)}`,
        { cause: error },
      );
    }
  }

  async untilClosed(): Promise<number> {
    return (await until(() => this.closed, "the socket to close")).code;
  }

  close(): void {
    this.ws.close(1000, "done");
  }
}

async function dial(world: SessionWorld, path: string, headers: Record<string, string>): Promise<Response> {
  return world.stub.fetch(new Request(`http://app.test${path}`, { headers: { Upgrade: "websocket", ...headers } }));
}

export class Viewer extends Peer<SessionFrame> {
  static async open(world: SessionWorld, ticket: string): Promise<Viewer> {
    const response = await dial(world, `/api/sessions/${world.sessionId}/socket`, {
      "Sec-WebSocket-Protocol": `${VIEWER_SUBPROTOCOL}, ticket.${ticket}`,
    });
    if (response.webSocket === null) throw new Error(`no socket: ${response.status}`);
    return new Viewer(response.webSocket, (text) => JSON.parse(text) as SessionFrame);
  }

  send(frame: ViewerFrame): void {
    this.sendRaw(JSON.stringify(frame));
  }

  /** Says hello and waits until it is caught up, acknowledging as a browser does. */
  async hello(afterSeq: number | null): Promise<Extract<SessionFrame, { type: "welcome" }>> {
    const before = this.of("welcome").length;
    this.send({ type: "hello", version: PROTOCOL_VERSION, afterSeq });
    const welcome = await until(() => this.of("welcome")[before], "welcome");
    return welcome;
  }

  ack(): void {
    this.send({ type: "ack", receivedBytes: this.receivedBytes });
  }

  prompt(text: string, delivery: "steer" | "queue" = "queue", promptId = freshId("prompt")): string {
    this.send({ type: "prompt", promptId, text, delivery });
    return promptId;
  }

  entries(): ReadEntry[] {
    return this.of("events").flatMap((frame) => frame.entries);
  }

  async untilEvent<T extends ReadEntry["event"]["type"]>(
    type: T,
    test: (event: Extract<ReadEntry["event"], { type: T }>) => boolean = () => true,
  ) {
    const found = await until(
      () =>
        this.entries()
          .map((entry) => entry.event)
          .find(
            (event): event is Extract<ReadEntry["event"], { type: T }> =>
              event.type === type && test(event as Extract<ReadEntry["event"], { type: T }>),
          ),
      `event ${type}`,
    );
    return found;
  }

  /** Sends a request and returns its reply or refusal. */
  async ask(build: (requestId: string) => ViewerFrame): Promise<Extract<SessionFrame, { type: "reply" | "refused" }>> {
    const requestId = freshId("request");
    this.send(build(requestId));
    return until(() => [...this.of("reply"), ...this.of("refused")].find((frame) => frame.requestId === requestId), "an answer");
  }
}

export class FakeRunner extends Peer<RunnerOrderFrame> {
  readonly order: RunnerOrder;
  readonly world: SessionWorld;
  rseq = 0;

  constructor(ws: WebSocket, world: SessionWorld, order: RunnerOrder) {
    super(ws, (text) => runnerOrderFrameSchema.parse(JSON.parse(text)));
    this.world = world;
    this.order = order;
  }

  static async dial(world: SessionWorld, order: RunnerOrder): Promise<FakeRunner> {
    const response = await dial(world, `/runner/sessions/${world.sessionId}/link`, { Authorization: `Bearer ${order.linkToken}` });
    if (response.webSocket === null) throw new Error(`no link: ${response.status}`);
    return new FakeRunner(response.webSocket, world, order);
  }

  /** As a sandbox's object dials for its container. Null: closed at once. */
  static async vouched(world: SessionWorld, incarnation: number): Promise<FakeRunner> {
    const order = await until(() => world.host.orders.at(-1), "an order to start a runner");
    const { linkToken } = world.host.orders.find((one) => one.incarnation === incarnation) ?? order;
    const token = await vouchedTokenOf(await hashToken(linkToken));
    const response = await dial(world, `${VOUCHED_LINK_PATH}?incarnation=${incarnation}`, { Authorization: `Bearer ${token}` });
    if (response.webSocket === null) throw new Error(`no link: ${response.status}`);
    return new FakeRunner(response.webSocket, world, order);
  }

  send(frame: RunnerFrame): void {
    this.sendRaw(JSON.stringify(frame));
  }

  async greet(lastRseq = 0): Promise<Extract<RunnerOrderFrame, { type: "welcome" }>> {
    const { sessionId, incarnation } = this.order;
    this.send({ type: "hello", version: PROTOCOL_VERSION, sessionId, incarnation, runnerVersion: "test", lastRseq });
    return this.until("welcome");
  }

  /** Sends items with the next numbers and waits until they are acked. */
  async emit(turnId: string | null, ...bodies: OutboxBody[]): Promise<void> {
    const items = bodies.map((body) => ({ rseq: (this.rseq += 1), at: this.world.now, thread: "main", turnId, body }));
    const last = this.rseq;
    this.send({ type: "emit", items });
    await this.until("ack", (frame) => frame.rseq >= last);
  }

  async write(turnId: string, text: string, block = "m:0"): Promise<void> {
    await this.emit(turnId, { type: "text_written", block, text } satisfies RunnerEvent);
  }

  async finish(turnId: string, outcome: "completed" | "failed" | "stopped" = "completed"): Promise<void> {
    await this.emit(turnId, { type: "turn_report", turnId, outcome, agentSessionId: "agent-1" });
  }

  /** The same process dials again. */
  async redial(): Promise<FakeRunner> {
    const next = await FakeRunner.dial(this.world, this.order);
    next.rseq = this.rseq;
    return next;
  }
}

export const permission = (approvalId: string, sessionRule?: string): Extract<RunnerEvent, { type: "approval_requested" }> => ({
  type: "approval_requested",
  request: {
    kind: "permission",
    approvalId,
    tool: "Bash",
    toolId: "t1",
    subject: "rm -rf build",
    reason: "",
    input: {},
    ...(sessionRule === undefined ? {} : { sessionRule }),
  },
});

/** Each behaviour is tried awake and with the object evicted in between, sockets hibernating. */
export const SLEEPS: readonly { name: string; nap: (world: SessionWorld) => Promise<void> }[] = [
  { name: "awake", nap: async () => {} },
  { name: "hibernated in between", nap: async (world) => evictDurableObject(world.object) },
];

/** As a deploy or a crash: the instance and all its sockets are gone. */
export const crash = async (world: SessionWorld): Promise<void> => evictDurableObject(world.object, { webSockets: "close" });
