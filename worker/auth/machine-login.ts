/** Decisions of a machine's sign-in, without storage: codes that people type, how often a machine may ask, what is shown. Pure. */
import { USER_CODE_CHARS, USER_CODE_LETTERS, type ConnectFrom } from "@ai-dev-platform/protocol/machine-login";

/** Long enough to find the phone; a code that lies around is no use later. */
export const DEVICE_LOGIN_TTL_MS = 10 * 60_000;
/** The browser opens at once. */
export const LOOPBACK_LOGIN_TTL_MS = 5 * 60_000;
/** Between two questions of a waiting device, and what is added when it asks too often (RFC 8628). */
export const POLL_INTERVAL_MS = 5_000;
const SLOW_DOWN_MS = 5_000;
/** A timer fires a little early now and then. */
const POLL_TOLERANCE_MS = 500;

/** Bytes at or above this would favour some letters: they are thrown away. */
const FAIR_BELOW = 256 - (256 % USER_CODE_LETTERS.length);

/** About 34 bits: beside the limits on guesses, hopeless to guess. */
export function newUserCode(): string {
  let code = "";
  while (code.length < USER_CODE_CHARS) {
    for (const byte of crypto.getRandomValues(new Uint8Array(USER_CODE_CHARS * 2)))
      if (byte < FAIR_BELOW && code.length < USER_CODE_CHARS) code += USER_CODE_LETTERS[byte % USER_CODE_LETTERS.length];
  }
  return code;
}

export const showUserCode = (code: string): string => `${code.slice(0, USER_CODE_CHARS / 2)}-${code.slice(USER_CODE_CHARS / 2)}`;

/** As typed, in any case, with or without the dash; null when it cannot be a code. */
export function readUserCode(typed: string): string | null {
  const code = typed.toUpperCase().replaceAll(/[\s-]/g, "");
  return code.length === USER_CODE_CHARS && Array.from(code).every((letter) => USER_CODE_LETTERS.includes(letter)) ? code : null;
}

export interface WaitingLogin {
  status: "waiting" | "approved" | "denied" | "used";
  intervalMs: number;
  polledAt: number | null;
  expiresAt: number;
}

export type Poll =
  | { kind: "ready" | "denied" | "expired" | "pending" }
  /** From now on it must wait this long. */
  | { kind: "slow_down"; intervalMs: number };

export function judgePoll(login: WaitingLogin | null, now: number): Poll {
  if (login === null || login.status === "used" || login.expiresAt <= now) return { kind: "expired" };
  if (login.status === "denied") return { kind: "denied" };
  // Also when it was approved meanwhile: hammering must not pay.
  if (login.polledAt !== null && now - login.polledAt < login.intervalMs - POLL_TOLERANCE_MS)
    return { kind: "slow_down", intervalMs: login.intervalMs + SLOW_DOWN_MS };
  return { kind: login.status === "approved" ? "ready" : "pending" };
}

/** IPv6's `::1` arrives as its first four groups (clientAddress). */
const isLoopbackAddress = (address: string): boolean => address.startsWith("127.") || address === "0:0:0:0";

/** What a browser is told about where the machine is. */
export function fromOf(machineAddress: string | null, browserAddress: string | null): ConnectFrom {
  if (machineAddress === null || isLoopbackAddress(machineAddress)) return "this_server";
  return machineAddress === browserAddress ? "same_network" : "other_network";
}

/** Enough to recognise a network, not enough to keep a person's address: the first two groups. */
export function shortAddress(address: string | null): string | null {
  if (address === null || isLoopbackAddress(address)) return null;
  return address.includes(":") ? `${address.split(":").slice(0, 2).join(":")}::` : `${address.split(".").slice(0, 2).join(".")}.x.x`;
}
