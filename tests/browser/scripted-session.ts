/**
 * The web UI in a real browser before a session that a test scripts: events become state and frames by the protocol's own
 * code, and whatever the page sends is read by the protocol's own schemas, so that neither side can drift. Owns the built
 * pages' server and the answers to /api; knows nothing of the Worker.
 */
import { createHash } from "node:crypto";
import path from "node:path";
import {
  sessionCreateSchema,
  type BrowserKeyBody,
  type ConfigBody,
  type MachineBody,
  type SessionBody,
} from "@ai-dev-platform/protocol/http";
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { LogEntry, ReadEntry, SessionEvent } from "@ai-dev-platform/protocol/events";
import { browserKeySchema, type BrowserKey } from "@ai-dev-platform/protocol/machine-login";
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import type { Query, QueryResult } from "@ai-dev-platform/protocol/queries";
import type { Role } from "@ai-dev-platform/protocol/roles";
import { applyEntry, emptyState, type SessionState } from "@ai-dev-platform/protocol/state";
import { viewerFrameSchema, type SessionFrame, type ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import type { Browser, Page, Route } from "@playwright/test";
import { preview } from "vite";
import { buildFrontend, root } from "../../scripts/start/server.ts";
import { newId } from "../support/node/ids.ts";
import { openPage, type Watched } from "../support/node/browser.ts";
import { freePort } from "../support/node/test-platform.ts";

export const MARA = { userId: "usr_mara", name: "Mara" };

/** A person's own computer, connected. */
export function ownMachine(name: string, patch: Partial<MachineBody> = {}): MachineBody {
  const state = patch.state ?? "connected";
  return {
    machineId: newId("machine"),
    name,
    platform: "linux x64",
    agentVersion: "0.1.0",
    isOnline: state === "connected" || state === "busy",
    running: 0,
    capacity: 4,
    lastSeenAt: Date.now(),
    isOperator: false,
    allowsPaths: true,
    state,
    since: Date.now() - 3_600_000,
    isOutdated: false,
    folders: [],
    sessions: [],
    ...patch,
  };
}

/** As the server registers it. */
export function browserKey({ publicKey, name }: BrowserKey): BrowserKeyBody {
  const hash = createHash("sha256").update(Buffer.from(publicKey, "base64url")).digest();
  return { keyId: hash.subarray(0, 16).toString("base64url"), publicKey, name, createdAt: Date.now() - 86_400_000 };
}

export interface Pages {
  url: string;
  stop: () => Promise<void>;
}

/** The built pages alone, as `vite preview` serves them. */
export async function servePages(): Promise<Pages> {
  buildFrontend();
  const port = await freePort();
  const server = await preview({
    configFile: path.join(root, "vite.config.ts"),
    logLevel: "silent",
    preview: { port, host: "127.0.0.1", strictPort: true, open: false },
  });
  return { url: `http://127.0.0.1:${port}`, stop: () => server.close() };
}

type Sent<T extends ViewerFrame["type"]> = Extract<ViewerFrame, { type: T }>;
export interface Place {
  thread?: string;
  turnId?: string | null;
}

export class ScriptedSession {
  readonly sessionId = newId("session");
  readonly projectId = newId("project");
  readonly entries: LogEntry[] = [];
  /** What the page sent, acknowledgements left out. */
  readonly frames: ViewerFrame[] = [];
  role: Role = "owner";
  machines: MachineBody[] = [];
  browserKeys: BrowserKeyBody[] = [];
  config: Partial<ConfigBody> = {};
  /** What the session does about a frame; it is logged before the reply, as the real one does. */
  onFrame: ((frame: ViewerFrame) => void) | null = null;
  /** What the workspace, or the session itself, answers; undefined for a reply without a result. */
  onQuery: (query: Query) => QueryResult | undefined = (query) =>
    query.kind === "runner_log" ? { kind: "runner_log", lines: ["12:04:01 hello"] } : undefined;
  /** Refuses a frame with this code and detail in place of an answer. */
  refusal: ((frame: ViewerFrame) => { code: ErrorCode; detail?: string } | null) | null = null;
  state: SessionState = emptyState();
  readonly #sockets = new Set<(frame: SessionFrame) => void>();
  readonly #waiting: { fits: (frame: ViewerFrame) => boolean; resolve: () => void }[] = [];
  #now = Date.now() - 60_000;

  constructor(created: Partial<Extract<SessionEvent, { type: "session_created" }>> = {}) {
    this.log({
      type: "session_created",
      title: "Fix reconnect race",
      projectId: this.projectId,
      projectName: "acme/relay",
      lifecycle: "hydrated",
      modelSource: "key",
      mode: "default",
      model: "default",
      budgetUsd: 5,
      host: "sandbox",
      size: "standard-1",
      network: { level: "registries", hosts: [] },
      maxHours: 12,
      ...created,
    });
  }

  log(event: SessionEvent, { thread = MAIN_THREAD, turnId = null }: Place = {}): void {
    this.#now += 1_000;
    const entry: LogEntry = { seq: this.entries.length + 1, at: this.#now, thread, turnId, event };
    this.entries.push(entry);
    this.state = applyEntry(this.state, entry);
    for (const send of this.#sockets) send({ type: "events", entries: [entry], head: entry.seq });
  }

  host(state: SessionState["host"]["state"], incarnation = 1): void {
    this.log({ type: "host_changed", state, incarnation, hostName: "" });
  }

  /** A prompt and its open turn. */
  turn(text: string, thread = MAIN_THREAD): Required<Place> & { turnId: string } {
    const [promptId, turnId] = [newId("prompt"), newId("turn")];
    this.log({ type: "prompt_queued", promptId, text, delivery: "steer", author: MARA }, { thread });
    this.log({ type: "turn_started", turnId, promptId }, { thread, turnId });
    return { thread, turnId };
  }

  sent<T extends ViewerFrame["type"]>(type: T): Sent<T>[] {
    return this.frames.filter((frame): frame is Sent<T> => frame.type === type);
  }

  /** Resolves once a frame of this type was sent. */
  async until(type: ViewerFrame["type"], count = 1): Promise<void> {
    while (this.sent(type).length < count)
      await new Promise<void>((resolve) => this.#waiting.push({ fits: (frame) => frame.type === type, resolve }));
  }

  /** A frame that is not logged. */
  tell(frame: SessionFrame): void {
    for (const send of this.#sockets) send(frame);
  }

  attach(send: (frame: SessionFrame) => void): void {
    this.#sockets.add(send);
    const entries: ReadEntry[] = this.entries;
    const { state, role, sessionId } = this;
    const person = { userId: MARA.userId, name: MARA.name, role };
    send({ type: "welcome", version: 1, sessionId, mode: "reset", head: state.seq, state, live: [], serverAt: Date.now(), ...person });
    send({ type: "events", entries, head: state.seq });
  }

  receive(message: string, send: (frame: SessionFrame) => void): void {
    const frame = viewerFrameSchema.parse(JSON.parse(message));
    if (frame.type === "ack") return;
    this.frames.push(frame);
    this.onFrame?.(frame);
    if (frame.type === "hello") this.attach(send);
    if (frame.type === "prompt") send({ type: "prompt_ack", promptId: frame.promptId, seq: this.state.seq });
    if ("requestId" in frame && frame.type !== "history") {
      const { requestId } = frame;
      const refused = this.refusal?.(frame) ?? null;
      const result = frame.type === "query" && refused === null ? this.onQuery(frame.query) : undefined;
      if (refused !== null) send({ type: "refused", requestId, message: ERRORS[refused.code].message, ...refused });
      else send({ type: "reply", requestId, ...(result === undefined ? {} : { result }) });
    }
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.fits(frame)) waiting.resolve();
      else this.#waiting.push(waiting);
    }
  }
}

export interface Screen extends Watched {
  /** Bodies of POST /api/sessions, as the server's schema reads them. */
  created: ReturnType<typeof sessionCreateSchema.parse>[];
}

const summary = (session: ScriptedSession): SessionBody => ({
  sessionId: session.sessionId,
  projectId: session.projectId,
  projectName: "acme/relay",
  title: session.state.title,
  state: "idle",
  detail: "",
  storedBytes: 0,
  savedAt: null,
  lifecycle: session.state.lifecycle,
  mode: "default",
  modelSource: "key",
  host: "sandbox",
  size: "standard-1",
  hostSeconds: 0,
  hostCostUsd: 0,
  costUsd: 0,
  additions: 0,
  deletions: 0,
  archivedAt: null,
  createdAt: 0,
  updatedAt: Date.now(),
  role: session.role,
});

function answers(session: ScriptedSession): Record<string, unknown> {
  const settings = { budgetUsd: 5, rotateAfterDays: 90, useDemoModel: false };
  const project = {
    projectId: session.projectId,
    name: "acme/relay",
    source: { kind: "empty" },
    trustProject: false,
    model: null,
    archivedAt: null,
  };
  const features = { agent: true, execute: true, api: true, providers: ["anthropic", "openai", "openrouter", "custom"] };
  return {
    "/api/me": { ...MARA, email: "mara@example.test", settings },
    "/api/config": { version: "0.1.0", demoModel: false, signUp: true, localPaths: false, sandbox: true, features, ...session.config },
    "/api/settings": settings,
    "/api/sessions": { sessions: [summary(session)] },
    "/api/projects": { projects: [{ ...project, createdAt: 1, sessions: 1 }] },
    "/api/machines": { machines: session.machines },
    "/api/browser-keys": { keys: session.browserKeys },
    "/api/keys": { keys: [] },
    "/api/allowed-hosts": { hosts: [{ host: "docs.example.com", createdAt: 1 }] },
    "/api/git-credentials": { credentials: [] },
    [`/api/sessions/${session.sessionId}/ticket`]: { ticket: "t".repeat(32), sessionId: session.sessionId, role: session.role },
  };
}

/** Opens a page of the app before this session. */
export async function openScreen(
  browser: Browser,
  pages: Pages,
  session: ScriptedSession,
  options: {
    path?: string;
    viewport?: { width: number; height: number };
    isTouch?: boolean;
    onApi?: (route: Route, pathname: string) => boolean;
  } = {},
): Promise<Screen> {
  const watched = await openPage(browser, {
    ...(options.viewport === undefined ? {} : { viewport: options.viewport }),
    ...(options.isTouch === true ? { hasTouch: true, isMobile: true } : {}),
  });
  const { page } = watched;
  const created: Screen["created"] = [];
  await page.route(
    (url) => url.pathname.startsWith("/api/"),
    (route) => {
      const { pathname } = new URL(route.request().url());
      if (options.onApi?.(route, pathname) === true) return;
      if (pathname === "/api/sessions" && route.request().method() === "POST") {
        created.push(sessionCreateSchema.parse(route.request().postDataJSON()));
        return route.fulfill({ status: 201, json: summary(session) });
      }
      if (pathname === "/api/browser-keys" && route.request().method() === "POST") {
        const key = browserKey(browserKeySchema.parse(route.request().postDataJSON()));
        session.browserKeys.push(key);
        return route.fulfill({ status: 201, json: key });
      }
      const known = answers(session)[pathname];
      return known === undefined ? route.fulfill({ status: 404, json: { error: { code: "not_found" } } }) : route.fulfill({ json: known });
    },
  );
  await page.routeWebSocket(/\/socket$/, (socket) => {
    const send = (frame: SessionFrame) => socket.send(JSON.stringify(frame));
    socket.onMessage((message) => {
      if (message === "ping") socket.send("pong");
      else session.receive(String(message), send);
    });
  });
  await page.goto(`${pages.url}${options.path ?? `/s/${session.sessionId}`}`);
  return { ...watched, created };
}

/** The session's screen is drawn and live. */
export const sessionShown = (page: Page): Promise<void> => page.getByRole("log", { name: "Conversation" }).waitFor();
