/**
 * When to connect, greet, probe, wait and give up: the whole life of a viewer's socket as one pure step. It owns no socket and
 * no clock; `socket.ts` carries the effects out. Invariant: at most one socket is current, and a socket that may be dead is
 * replaced rather than trusted, since a browser reports a socket as open long after a laptop's sleep.
 */
import { CLOSE, closeAdvice } from "@ai-dev-platform/protocol/close-codes";

export type EndedReason = "revoked" | "deleted" | "incompatible" | "not_found";
export type LinkPhase = "idle" | "ticket" | "opening" | "greeting" | "open" | "waiting" | "offline" | "ended";
export type LinkTimer = "retry" | "deadline" | "pong" | "heartbeat";

export interface LinkState {
  phase: LinkPhase;
  since: number;
  /** Failed tries in a row. */
  attempt: number;
  wasOpen: boolean;
  retryAt: number | null;
  endedReason: EndedReason | null;
}

export type LinkInput =
  | { type: "start" }
  | { type: "stop" }
  | { type: "ticket"; ticket: string }
  | { type: "ticket_failed"; code: string }
  | { type: "opened" }
  | { type: "welcomed" }
  /** Anything at all arrived: the peer lives. */
  | { type: "heard" }
  | { type: "closed"; code: number }
  | { type: "timer"; timer: LinkTimer }
  /** The page came back, or the network did, or a person asked. */
  | { type: "wake" }
  | { type: "offline" }
  /** An entry is missing: ask again from the last one held (SPEC VS2). */
  | { type: "gap" };

export type LinkEffect =
  | { type: "fetch_ticket" }
  | { type: "open"; ticket: string }
  | { type: "drop" }
  | { type: "hello" }
  | { type: "ping" }
  | { type: "arm"; timer: LinkTimer; delayMs: number }
  | { type: "disarm"; timer: LinkTimer };

export interface LinkStep {
  state: LinkState;
  effects: LinkEffect[];
}

/** A ticket, a handshake or a welcome that takes longer than this is started over. */
export const LINK_DEADLINE_MS = 10_000;
export const PONG_DEADLINE_MS = 2_000;
/** A quiet open socket is probed this often; the answer is automatic and wakes nothing (SPEC HB1). */
export const HEARTBEAT_MS = 25_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
const FLOODING_PAUSE_MS = 5_000;
/** A connection that held this long forgives the failures before it. */
const STABLE_AFTER_MS = 5_000;

/** Ticket errors that no retry mends, and what they mean for the screen. */
const FINAL_TICKET_ERRORS: Record<string, EndedReason> = {
  not_found: "not_found",
  session_deleted: "deleted",
  share_ended: "revoked",
  forbidden: "revoked",
  not_signed_in: "revoked",
  incompatible_version: "incompatible",
};

export const initialLink = (now: number): LinkState => ({
  phase: "idle",
  since: now,
  attempt: 0,
  wasOpen: false,
  retryAt: null,
  endedReason: null,
});

/** Exponential with jitter between half and all of the delay, so that many viewers do not return in one wave. */
export const retryDelayMs = (attempt: number, random: number): number =>
  Math.round(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10)) * (0.5 + random / 2));

const isSocketPhase = (phase: LinkPhase) => phase === "opening" || phase === "greeting" || phase === "open";
const quiet: LinkEffect[] = [
  { type: "disarm", timer: "deadline" },
  { type: "disarm", timer: "pong" },
  { type: "disarm", timer: "heartbeat" },
  { type: "disarm", timer: "retry" },
];

function dial(state: LinkState, now: number): LinkStep {
  const since = state.phase === "waiting" || state.phase === "offline" ? state.since : now;
  return {
    state: { ...state, phase: "ticket", since, retryAt: null },
    effects: [...quiet, { type: "drop" }, { type: "fetch_ticket" }, { type: "arm", timer: "deadline", delayMs: LINK_DEADLINE_MS }],
  };
}

function end(state: LinkState, endedReason: EndedReason | null, now: number): LinkStep {
  return {
    state: { ...state, phase: endedReason === null ? "idle" : "ended", since: now, retryAt: null, endedReason },
    effects: [...quiet, { type: "drop" }],
  };
}

function retry(state: LinkState, now: number, random: number, leastMs = 0): LinkStep {
  const wasStable = state.phase === "open" && now - state.since >= STABLE_AFTER_MS;
  const attempt = wasStable ? 0 : state.attempt;
  const delayMs = Math.max(leastMs, retryDelayMs(attempt, random));
  const since = state.phase === "open" || state.phase === "idle" ? now : state.since;
  return {
    state: { ...state, phase: "waiting", since, attempt: attempt + 1, retryAt: now + delayMs },
    effects: [...quiet, { type: "drop" }, { type: "arm", timer: "retry", delayMs }],
  };
}

function closed(state: LinkState, code: number, now: number, random: number): LinkStep {
  switch (closeAdvice(code)) {
    case "stop":
      return end(state, code === CLOSE.deleted ? "deleted" : "revoked", now);
    case "reload":
      return end(state, "incompatible", now);
    case "pause":
      return retry(state, now, random, FLOODING_PAUSE_MS);
    default:
      return retry(state, now, random);
  }
}

function timerFired(state: LinkState, timer: LinkTimer, now: number, random: number): LinkStep {
  if (timer === "retry") return state.phase === "waiting" ? dial(state, now) : { state, effects: [] };
  if (timer === "pong") return state.phase === "open" ? dial(state, now) : { state, effects: [] };
  if (timer === "heartbeat") return state.phase === "open" ? probe(state) : { state, effects: [] };
  return state.phase === "ticket" || state.phase === "opening" || state.phase === "greeting"
    ? retry(state, now, random)
    : { state, effects: [] };
}

const probe = (state: LinkState): LinkStep => ({
  state,
  effects: [{ type: "ping" }, { type: "arm", timer: "pong", delayMs: PONG_DEADLINE_MS }],
});

function woken(state: LinkState, now: number): LinkStep {
  if (state.phase === "waiting" || state.phase === "offline") return dial({ ...state, attempt: 0 }, now);
  return state.phase === "open" ? probe(state) : { state, effects: [] };
}

function wentOffline(state: LinkState, now: number): LinkStep {
  // A browser's "offline" may be wrong: an open socket is asked, and believed when it answers.
  if (state.phase === "open") return probe(state);
  if (state.phase === "idle" || state.phase === "ended" || state.phase === "offline") return { state, effects: [] };
  return { state: { ...state, phase: "offline", since: now, retryAt: null }, effects: [...quiet, { type: "drop" }] };
}

/** One step. `isOnline` is the browser's word, asked only when there is no socket to ask. */
export function stepLink(state: LinkState, input: LinkInput, now: number, random: number, isOnline = true): LinkStep {
  if (state.phase === "ended" && input.type !== "stop") return { state, effects: [] };
  if (state.phase === "idle" && input.type !== "start") return { state, effects: [] };
  const step = decide(state, input, now, random);
  const mayNotDial = !isOnline && (step.state.phase === "waiting" || step.state.phase === "ticket") && input.type !== "wake";
  if (!mayNotDial) return step;
  return { state: { ...step.state, phase: "offline", retryAt: null }, effects: [...quiet, { type: "drop" }] };
}

function socketLives(state: LinkState, sign: "opened" | "welcomed" | "heard", now: number): LinkStep {
  const heartbeat = { type: "arm", timer: "heartbeat", delayMs: HEARTBEAT_MS } as const;
  if (sign === "opened" && state.phase === "opening") return { state: { ...state, phase: "greeting" }, effects: [{ type: "hello" }] };
  if (sign === "welcomed" && state.phase === "greeting")
    return { state: { ...state, phase: "open", since: now, wasOpen: true }, effects: [{ type: "disarm", timer: "deadline" }, heartbeat] };
  if (sign === "heard" && state.phase === "open") return { state, effects: [{ type: "disarm", timer: "pong" }, heartbeat] };
  return { state, effects: [] };
}

function decide(state: LinkState, input: LinkInput, now: number, random: number): LinkStep {
  switch (input.type) {
    case "start":
      return state.phase === "idle" ? dial(state, now) : { state, effects: [] };
    case "stop":
      return end(state, null, now);
    case "ticket":
      if (state.phase !== "ticket") return { state, effects: [] };
      return {
        state: { ...state, phase: "opening" },
        effects: [
          { type: "open", ticket: input.ticket },
          { type: "arm", timer: "deadline", delayMs: LINK_DEADLINE_MS },
        ],
      };
    case "ticket_failed": {
      if (state.phase !== "ticket") return { state, effects: [] };
      const reason = FINAL_TICKET_ERRORS[input.code];
      return reason === undefined ? retry(state, now, random) : end(state, reason, now);
    }
    case "opened":
    case "welcomed":
    case "heard":
      return socketLives(state, input.type, now);
    case "closed":
      return isSocketPhase(state.phase) ? closed(state, input.code, now, random) : { state, effects: [] };
    case "timer":
      return timerFired(state, input.timer, now, random);
    case "wake":
      return woken(state, now);
    case "offline":
      return wentOffline(state, now);
    case "gap":
      return isSocketPhase(state.phase) ? retry(state, now, random) : { state, effects: [] };
  }
}
