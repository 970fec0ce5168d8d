/** Whether a signature fits a command. Pure but for the arithmetic. */
import { createPublicKey, verify } from "node:crypto";
import { signedText } from "@ai-dev-platform/protocol/signed-text";
import type { Command, CommandSignature } from "@ai-dev-platform/protocol/signing";

export function isSigned(publicKey: string, sessionId: string, { signature, ...unsigned }: CommandSignature, command: Command): boolean {
  try {
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
    const text = Buffer.from(signedText(sessionId, unsigned, command), "utf8");
    return verify(null, text, key, Buffer.from(signature, "base64url"));
  } catch {
    return false;
  }
}
