/** Where a session's sandbox is: its size picks the class, whose instance type is fixed at deploy; its id is random and known here alone. */
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import type { SandboxSize } from "@ai-dev-platform/protocol/modes";
import type { HostStatus } from "../../session/ports.ts";
import type { Admission, FleetRequest } from "./fleet-do.ts";
import type { LaunchRequest } from "./lease.ts";
import type { Dialling } from "./runner-env.ts";
import type { FailureKind } from "./start-failure.ts";

export interface SandboxOrder extends LaunchRequest {
  order: RunnerOrder;
  dialling: Dialling;
}

export type LaunchOutcome = { kind: "started" } | { kind: "refused" } | { kind: "failed"; failure: FailureKind; detail: string };

/** What the rest of the Worker asks of one sandbox. Everything else that its class could do is closed. */
export interface SandboxApi {
  launch(order: SandboxOrder): Promise<LaunchOutcome>;
  /** Renews the lease of this incarnation. */
  extend(incarnation: number, ttlMs: number): Promise<void>;
  /** Ends this incarnation and all before it. Resolves when they are gone, or when that takes too long. */
  end(incarnation: number): Promise<void>;
  look(): Promise<HostStatus>;
  /** What was done with it, oldest first. */
  lines(): Promise<string[]>;
  /** Ends it and removes all it keeps. */
  erase(): Promise<void>;
}

export interface FleetApi {
  admit(request: FleetRequest): Promise<Admission>;
  report(sessionId: string, incarnation: number, state: "running" | "off"): Promise<void>;
  noInstance(sessionId: string, incarnation: number): Promise<{ mayWait: boolean }>;
  fence(sessionId: string, incarnation: number): Promise<Place | null>;
  find(sessionId: string): Promise<Place | null>;
  forget(sessionId: string): Promise<void>;
}

export interface Place {
  sandboxId: string;
  size: SandboxSize;
}

export function sandboxesOf(env: Env, size: SandboxSize) {
  switch (size) {
    case "standard-1":
      return env.SANDBOX;
    case "standard-2":
      return env.SANDBOX_2;
    case "standard-3":
      return env.SANDBOX_3;
    case "standard-4":
      return env.SANDBOX_4;
  }
}

export function sandboxAt(env: Env, { size, sandboxId }: Place): SandboxApi {
  const sandboxes = sandboxesOf(env, size);
  return sandboxes.get(sandboxes.idFromString(sandboxId));
}

/** One for the whole deployment: starts are rare, and only they and ends pass here. */
export const fleetOf = (env: Env): FleetApi => env.SANDBOX_FLEET.getByName("fleet");
