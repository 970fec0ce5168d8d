/**
 * What a session needs from outside, as roles. `hosts/`, `snapshots/`, `keys/` and `db/` implement them;
 * `session-do.ts` wires. Nothing else in this folder knows the platform.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { SessionSummaryState } from "@ai-dev-platform/protocol/http";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import type { McpServerConfig } from "@ai-dev-platform/protocol/runner";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
}

export interface Randomness {
  bytes(count: number): Uint8Array;
}

/** A start either is under way (readiness is the runner's hello), waits for capacity, or failed. */
export type StartOutcome =
  | { kind: "started"; hostName: string }
  | { kind: "waiting"; code: ErrorCode }
  | { kind: "failed"; code: ErrorCode; detail: string; isTransient: boolean };

/** Where a runner lives. Every call names the incarnation, so that a late call cannot touch a newer runner. */
export interface RunnerHost {
  start(order: RunnerOrder): Promise<StartOutcome>;
  /** Ends the runner and everything it started. Resolves when it is gone or cannot be reached. */
  kill(sessionId: string, incarnation: number): Promise<void>;
  /** The session is gone for good: remove its files. */
  forget(sessionId: string): Promise<void>;
}

export interface SnapshotStore {
  /** Whether every part is stored whole: sizes and SHA-256 as named. */
  isComplete(sessionId: string, snapshot: SnapshotRef): Promise<boolean>;
  remove(sessionId: string, snapshot: SnapshotRef): Promise<void>;
  removeAll(sessionId: string): Promise<void>;
}

export interface DirectoryRow {
  title: string;
  state: SessionSummaryState;
  detail: string;
  costUsd: number;
  additions: number;
  deletions: number;
  updatedAt: number;
}

/** The list's cache of a session (D1). Late, never authoritative. */
export interface Directory {
  update(sessionId: string, row: DirectoryRow): Promise<void>;
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

/** Everything a session is given. */
export interface SessionPorts {
  clock: Clock;
  random: Randomness;
  host: RunnerHost;
  snapshots: SnapshotStore;
  directory: Directory;
  settings: RunnerSettings;
  log: Logger;
}
