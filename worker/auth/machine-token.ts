/**
 * Tokens of people's own machines: 32 random bytes and a checksum after a prefix. The checksum lets a scanner tell a token
 * from noise, and lets the door refuse noise without asking the database. Only hashes are stored.
 */
import { crc32 } from "../encoding.ts";
import { hashSecret } from "../shares/link-secret.ts";

const MACHINE_TOKEN_PREFIX = "adpc_";
const TOKEN_BYTES = 32;
const SHAPE = /^adpc_([\w-]{43})([0-9a-f]{8})$/;

/** 32 random bytes as base64url: also handles and codes of a sign-in. */
export function newSecret(): string {
  const text = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function newMachineToken(): string {
  const body = newSecret();
  return `${MACHINE_TOKEN_PREFIX}${body}${checksum(body)}`;
}

/** Null for what cannot be one of ours. */
export async function machineTokenHash(token: string): Promise<string | null> {
  const [, body, sum] = SHAPE.exec(token) ?? [];
  return body === undefined || sum !== checksum(body) ? null : hashSecret(token);
}

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, "0");
