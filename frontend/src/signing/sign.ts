/** Signs commands for a person's own machine with this browser's key (SPEC SG1, SG2). Loaded only where it is needed. */
import { MAX_SIGNATURE_TTL_MS } from "@ai-dev-platform/protocol/limits";
import { signedText } from "@ai-dev-platform/protocol/signed-text";
import type { Command, CommandSignature, Unsigned } from "@ai-dev-platform/protocol/signing";
import { findKey, nextCounter, toBase64Url } from "./key-store.ts";

const NONCE_BYTES = 16;

export interface SignFor {
  userId: string;
  sessionId: string;
  machineId: string;
  incarnation: number;
}

/** Null: this browser has no key for this account. Tabs sign one after the other, so that counters rise as commands are made. */
export async function signCommand(
  { userId, sessionId, machineId, incarnation }: SignFor,
  command: Command,
): Promise<CommandSignature | null> {
  const key = await findKey(userId);
  if (key === null) return null;
  return navigator.locks.request(`adp-sign-${key.keyId}`, async () => {
    const issuedAt = Date.now();
    const unsigned: Unsigned = {
      keyId: key.keyId,
      machineId,
      incarnation,
      counter: await nextCounter(key.keyId),
      nonce: toBase64Url(crypto.getRandomValues(new Uint8Array(NONCE_BYTES))),
      issuedAt,
      expiresAt: issuedAt + MAX_SIGNATURE_TTL_MS,
    };
    const bytes = new TextEncoder().encode(signedText(sessionId, unsigned, command));
    const signature = await crypto.subtle.sign({ name: "Ed25519" }, key.privateKey, bytes);
    return { ...unsigned, signature: toBase64Url(new Uint8Array(signature)) };
  });
}
