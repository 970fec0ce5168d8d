/** A person's browser that signs, for tests with real machines: its key, and viewers whose prompts, answers and modes carry it. */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import type { Command, CommandSignature, Unsigned } from "@ai-dev-platform/protocol/signing";
import { signedText } from "@ai-dev-platform/protocol/signed-text";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type { ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import { newId } from "./ids.ts";
import type { Viewer } from "./viewer.ts";

const GOOD_FOR_MS = 3_600_000;
const KEY_ID_BYTES = 16;

export class BrowserSigner {
  readonly browserKey: { publicKey: string; name: string };
  readonly keyId: string;
  readonly #key: KeyObject;
  #counter = 0;

  constructor(name = "Test browser") {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const raw = publicKey.export({ format: "jwk" }).x ?? "";
    this.browserKey = { publicKey: raw, name };
    this.keyId = createHash("sha256").update(Buffer.from(raw, "base64url")).digest().subarray(0, KEY_ID_BYTES).toString("base64url");
    this.#key = privateKey;
  }

  sign(sessionId: string, { machineId, host }: Pick<SessionState, "machineId" | "host">, command: Command): CommandSignature {
    this.#counter += 1;
    const issuedAt = Date.now();
    const unsigned: Unsigned = {
      keyId: this.keyId,
      machineId: machineId ?? "",
      incarnation: host.incarnation,
      counter: this.#counter,
      nonce: randomBytes(16).toString("base64url"),
      issuedAt,
      expiresAt: issuedAt + GOOD_FOR_MS,
    };
    const text = Buffer.from(signedText(sessionId, unsigned, command), "utf8");
    return { ...unsigned, signature: sign(null, text, this.#key).toString("base64url") };
  }

  /** The same viewer, as this browser would drive it. */
  signing(sessionId: string, viewer: Viewer): Viewer {
    const send = (frame: ViewerFrame) => viewer.send(this.#signed(sessionId, viewer.state(), frame));
    return {
      ...viewer,
      send,
      prompt(text, delivery = "queue") {
        const promptId = newId("prompt");
        send({ type: "prompt", promptId, text, delivery });
        return promptId;
      },
      until: (what, find) => viewer.until(what, find),
    };
  }

  #signed(sessionId: string, state: SessionState, frame: ViewerFrame): ViewerFrame {
    if (!state.needsSignature) return frame;
    const of = (command: Command) => this.sign(sessionId, state, command);
    switch (frame.type) {
      case "prompt": {
        const { promptId, thread = "main", text, delivery } = frame;
        return { ...frame, signature: of({ kind: "prompt", promptId, thread, text, delivery }) };
      }
      case "answer":
        return { ...frame, signature: of({ kind: "answer", approvalId: frame.approvalId, answer: frame.answer }) };
      case "set_mode":
        return { ...frame, signature: of({ kind: "set_mode", mode: frame.mode }) };
      case "set_model":
        return { ...frame, signature: of({ kind: "set_model", model: frame.model }) };
      default:
        return frame;
    }
  }
}
