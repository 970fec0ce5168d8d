/**
 * What a session needs from outside, as roles. `hosts/`, `snapshots/`, `keys/` and `db/` implement them;
 * `session-do.ts` wires. Nothing else in this folder knows the platform.
 */
import type { WebhookPayload } from "@ai-dev-platform/protocol/api/webhooks";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { SessionSummaryState } from "@ai-dev-platform/protocol/http";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import type { HostKind, Lifecycle, Network, SandboxSize } from "@ai-dev-platform/protocol/modes";
import type { Query, QueryResult } from "@ai-dev-platform/protocol/queries";
import type { McpServerConfig } from "@ai-dev-platform/protocol/runner";
import type { InheritedPart, SnapshotRef } from "@ai-dev-platform/protocol/snapshot";

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
}

export interface Randomness {
  bytes(count: number): Uint8Array;
}

/** A start either is under way (readiness is the runner's hello), waits for capacity, or failed. */
export type StartOutcome =
  /** `machineId`: which one took it, where any would do. */
  | { kind: "started"; hostName: string; machineId?: string | undefined }
  /** `hostName`, `offlineSince`: of the one machine that is waited for, where it is known. */
  | { kind: "waiting"; code: ErrorCode; hostName?: string; offlineSince?: number }
  | { kind: "failed"; code: ErrorCode; detail: string; isTransient: boolean };

/** What a host needs to start a runner. A machine is told the runner's order alone. */
export interface HostOrder extends RunnerOrder {
  /** Whose session it is: hosts hold caps for each owner. */
  ownerId: string;
  size: SandboxSize;
  network: Network;
  /** The host ends the runner by itself after this, whatever else happens. */
  maxLifetimeMs: number;
}

export interface HostStatus {
  /** `unknown`: the host cannot tell now, or cannot tell at all. */
  state: "stopped" | "starting" | "running" | "unknown";
  incarnation: number | null;
}

/** Where a runner lives. Every call names the incarnation, so that a late call cannot touch a newer runner. */
export interface RunnerHost {
  readonly kind: HostKind;
  start(order: HostOrder): Promise<StartOutcome>;
  /** The lease: the runner is wanted for this long from now. Nothing where runners need no lease. */
  touch(sessionId: string, incarnation: number, ttlMs: number): Promise<void>;
  status(sessionId: string): Promise<HostStatus>;
  /** The newest lines of what the host saw of this session's runners, oldest first; absent where a host keeps none. */
  log?(sessionId: string): Promise<string[]>;
  /** Ends the runner and everything it started. Resolves when it is gone or cannot be reached. */
  kill(sessionId: string, incarnation: number): Promise<void>;
  /** The session is gone for good: remove its files. */
  forget(sessionId: string): Promise<void>;
}

export interface SnapshotStore {
  /** Whether every part is stored whole: sizes and SHA-256 as named. */
  isComplete(sessionId: string, snapshot: SnapshotRef): Promise<boolean>;
  /** The same of single parts. */
  hasParts(sessionId: string, parts: readonly InheritedPart[]): Promise<boolean>;
  /** Parts that no kept snapshot is read from. Removing one that is gone already is fine. */
  removeParts(sessionId: string, parts: readonly InheritedPart[]): Promise<void>;
  removeAll(sessionId: string): Promise<void>;
  /**
   * Removes objects of this session that `kept` (asked at each page; `<snapshot>/<part>`) does not name and that are older
   * than `uploadedBefore`. `young`: how many are unnamed, but not as old.
   */
  sweep(sessionId: string, kept: () => ReadonlySet<string>, uploadedBefore: number): Promise<{ removed: number; young: number }>;
}

export type SavedLook = Extract<Query, { kind: "tree" | "file" | "find" }>;
export type SavedAnswer<Kind extends QueryResult["kind"] = QueryResult["kind"]> =
  | { ok: true; result: Extract<QueryResult, { kind: Kind }> }
  | { ok: false; code: ErrorCode; detail: string };

/** Saved states as files, read from storage; nothing is started for it. */
export interface SavedFiles {
  look(sessionId: string, snapshot: SnapshotRef, query: SavedLook): Promise<SavedAnswer<SavedLook["kind"]>>;
  /** Files of the workspace that differ; `from` null: all of it is new. */
  changes(sessionId: string, from: SnapshotRef | null, to: SnapshotRef): Promise<SavedAnswer<"snapshot_changes">>;
  patch(sessionId: string, from: SnapshotRef | null, to: SnapshotRef, path: string): Promise<SavedAnswer<"snapshot_patch">>;
}

/** The owner's storage. */
export interface StorageAllowance {
  /** Bytes that the owner's other sessions and uploads leave for this one, its saved states included. Null: no limit. */
  bytesFor(ownerId: string, sessionId: string): Promise<number | null>;
  /** Removes the owner's uploads that nobody can use any more. */
  removeSpent(ownerId: string, now: number): Promise<void>;
}

/** Where sessions may run. */
export interface Offers {
  /** Why this owner's sessions cannot run there, in words; null when they may. */
  refusal(ownerId: string, place: { host: HostKind; machineId: string | null }): Promise<string | null>;
  /** Whether the machine is a person's own, and not the operator's: it does only what was signed (SPEC SG). */
  isOwnMachine(machineId: string): Promise<boolean>;
  /** The operator left the agent on: prompts are taken (SPEC MP8). */
  hasAgent(): boolean;
}

export interface DirectoryRow {
  title: string;
  state: SessionSummaryState;
  detail: string;
  costUsd: number;
  additions: number;
  deletions: number;
  updatedAt: number;
  lifecycle: Lifecycle;
  hostSeconds: number;
  hostCostUsd: number;
  host: HostKind;
  /** Absent where any machine does: the host keeps which one it was. */
  machineId?: string;
  /** Of the newest saved state; null before the first. */
  headSnapshotId: string | null;
  savedAt: number | null;
  /** Of all that is kept. */
  storedBytes: number;
}

/** The list's cache of a session (D1). Late, never authoritative. */
export interface Directory {
  update(sessionId: string, row: DirectoryRow): Promise<void>;
  /** The session deletes itself. Removing what is gone is fine. */
  remove(sessionId: string): Promise<void>;
}

/** Hosts that a user allowed in all their sessions. */
export interface AllowedHosts {
  list(userId: string): Promise<string[]>;
  add(userId: string, host: string): Promise<void>;
}

/**
 * Whether a network setting lets a request through, given the hosts that people allowed beyond it. Pure; its rules live
 * outside the session. An allowance never opens what is denied for all. `reason`: a short word for the log.
 */
export interface EgressPolicy {
  decide(network: Network, allowances: readonly string[], request: EgressRequest): EgressDecision;
}
export interface EgressRequest {
  host: string;
  method: string;
  /** Of the address, without its query; for hosts of which only a part is open. Never written to a log. */
  path?: string | undefined;
}
export interface EgressDecision {
  decision: "allow" | "deny";
  reason: string;
}

/** What the owner has set up for runners, read when one says hello. */
export interface RunnerSettings {
  mcpServers(ownerId: string): Promise<McpServerConfig[]>;
}

export interface Logger {
  info(event: string, fields?: Record<string, string | number | boolean | null>): void;
  warn(event: string, fields?: Record<string, string | number | boolean | null>): void;
  error(event: string, fields?: Record<string, string | number | boolean | null>): void;
}

/** What happened in a session that somebody outside wants to know: an owner's webhooks, the budget of an API token. */
export interface Notice {
  /** The same thing told again has the same id. */
  id: string;
  /** Null: no program began it. */
  tokenId: string | null;
  /** What it cost; 0 where nothing was spent. */
  costUsd: number;
  /** Null: only money was spent, by a call that was settled after its turn. */
  payload: WebhookPayload | null;
}
export interface Notices {
  /** Durable elsewhere when it resolves; told again until it does. */
  tell(ownerId: string, notices: readonly Notice[]): Promise<void>;
}

/** Everything a session is given. */
export interface SessionPorts {
  clock: Clock;
  random: Randomness;
  host: RunnerHost;
  snapshots: SnapshotStore;
  savedFiles: SavedFiles;
  storage: StorageAllowance;
  directory: Directory;
  settings: RunnerSettings;
  allowedHosts: AllowedHosts;
  offers: Offers;
  egress: EgressPolicy;
  notices: Notices;
  log: Logger;
}
