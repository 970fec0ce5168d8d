/** A person's browser, for tests: an Ed25519 key and its counter. */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { signedText } from "@ai-dev-platform/protocol/signed-text";
import type { Command, CommandSignature, Unsigned } from "@ai-dev-platform/protocol/signing";
import { keyIdOf } from "../../machine/pins/pin-store.ts";

const GOOD_FOR_MS = 60_000;

export class BrowserSigner {
  readonly publicKey: string;
  readonly keyId: string;
  readonly #key: KeyObject;
  #counter = 0;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    this.publicKey = publicKey.export({ format: "jwk" }).x ?? "";
    this.keyId = keyIdOf(this.publicKey);
    this.#key = privateKey;
  }

  sign(
    to: { sessionId: string; machineId: string; incarnation: number; now: number },
    command: Command,
    over: Partial<Unsigned> = {},
  ): CommandSignature {
    this.#counter += 1;
    const unsigned: Unsigned = {
      keyId: this.keyId,
      machineId: to.machineId,
      incarnation: to.incarnation,
      counter: this.#counter,
      nonce: randomBytes(16).toString("base64url"),
      issuedAt: to.now,
      expiresAt: to.now + GOOD_FOR_MS,
      ...over,
    };
    const text = Buffer.from(signedText(to.sessionId, unsigned, command), "utf8");
    return { ...unsigned, signature: sign(null, text, this.#key).toString("base64url") };
  }
}
