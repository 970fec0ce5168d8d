/** Bearer tokens of a session: 32 random bytes after a prefix that says what they open and for which session. Only hashes are stored. */
import type { Randomness } from "./ports.ts";

const TOKEN_BYTES = 32;

export const linkTokenPrefix = (sessionId: string): string => `adpl_${sessionId}_`;
export const modelTokenPrefix = (sessionId: string): string => `adpm_${sessionId}_`;
export const TICKET_PREFIX = "adpt_";

export function newToken(prefix: string, random: Randomness): string {
  const text = btoa(String.fromCodePoint(...random.bytes(TOKEN_BYTES)));
  return prefix + text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** What a sandbox's runner shows beside its container's identity in place of the link token; no public door knows it (SPEC RN6). */
export const vouchedTokenOf = async (linkHash: string): Promise<string> => `adpv_${await hashToken(`vouched:${linkHash}`)}`;

/**
 * Opens the snapshots of a sandbox's runner, and not its link: for the process there that works as the agent's user. The runner
 * makes it (agent/src/sandbox/transfer-token.ts), and nobody can turn it back (SPEC SN8).
 */
export const transferTokenOf = async (vouchedToken: string): Promise<string> => `adpx_${await hashToken(`transfer:${vouchedToken}`)}`;

/** SHA-256, hex. Equal hashes are found by the database, so a comparison leaks nothing about a token. */
export async function hashToken(token: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
