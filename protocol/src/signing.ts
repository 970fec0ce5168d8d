/**
 * Commands for a person's own machine are signed by a key that only their browser holds (SPEC SG). The server passes the
 * signature on and cannot make one: the machine verifies it against the keys that it pinned when it was paired.
 *
 * Here are the shapes, and what a machine takes; the text that is signed is `signed-text.ts`.
 */
import * as z from "zod";
import { machineIdSchema } from "./ids.ts";
import { MAX_SIGNATURE_TTL_MS } from "./limits.ts";
import { laneOf } from "./signed-text.ts";

/** Ed25519. Of the raw public key: the first 16 bytes of its SHA-256, base64url. */
export const browserKeyIdSchema = z.string().regex(/^[\w-]{22}$/);
/** The raw public key of 32 bytes, base64url. */
export const publicKeySchema = z.string().regex(/^[\w-]{43}$/);

export const MAX_KEY_NAME_CHARS = 100;

export const commandSignatureSchema = z.strictObject({
  keyId: browserKeyIdSchema,
  machineId: machineIdSchema,
  /** The newest run that the signer knew of; a run before it must refuse. */
  incarnation: z.int().min(0),
  /** Rises with each command of this key in this session and lane. */
  counter: z.int().min(1),
  /** 16 random bytes, base64url. */
  nonce: z.string().regex(/^[\w-]{22}$/),
  /** Epoch milliseconds. */
  issuedAt: z.int().min(0),
  expiresAt: z.int().min(0),
  signature: z.string().regex(/^[\w-]{86}$/),
});
export type CommandSignature = z.infer<typeof commandSignatureSchema>;

/** What can be asked of a machine, as it is signed. Stops need no signature: they only end what runs. */
export type Command =
  | { kind: "prompt"; promptId: string; thread: string; text: string; delivery: "steer" | "queue" }
  | { kind: "answer"; approvalId: string; answer: unknown }
  | { kind: "set_mode"; mode: string }
  | { kind: "set_model"; model: string }
  | MachineCommand;

/** What changes whom the machine listens to. It is for the machine alone and is not logged. */
export const machineCommandSchema = z.discriminatedUnion("kind", [
  /** Another browser of the same person may sign from now on. */
  z.strictObject({
    kind: z.literal("pin_key"),
    keyId: browserKeyIdSchema,
    publicKey: publicKeySchema,
    name: z.string().trim().min(1).max(MAX_KEY_NAME_CHARS),
  }),
  z.strictObject({ kind: z.literal("unpin_key"), keyId: browserKeyIdSchema }),
  /** In this session the machine takes unsigned prompts and answers, too: those of people that it was shared with. */
  z.strictObject({ kind: z.literal("allow_collaborators"), allowed: z.boolean() }),
]);
export type MachineCommand = z.infer<typeof machineCommandSchema>;

/** Everything but the signature itself, and the session it is for. */
export type Unsigned = Omit<CommandSignature, "signature">;

export type SignatureRefusal = "expired" | "other_machine" | "older_run" | "replayed" | "reordered";

/** What a machine remembers of a key in a session. */
export interface SeenCommands {
  /** The highest counter taken in each lane. */
  lanes: Readonly<Record<string, number>>;
  /** Nonces taken, until they expire by themselves. */
  nonces: Readonly<Record<string, number>>;
}
export const NOTHING_SEEN: SeenCommands = { lanes: {}, nonces: {} };

/** Clocks of a browser and a machine may differ by this much. */
export const CLOCK_SKEW_MS = 5 * 60_000;

/** Judges a command whose signature is right already. The same nonce with the same counter again is `replayed`, too. */
export function judgeSigned(
  seen: SeenCommands,
  unsigned: Unsigned,
  command: Command,
  at: { machineId: string; incarnation: number; now: number },
): { ok: true; seen: SeenCommands } | { ok: false; reason: SignatureRefusal } {
  const { machineId, incarnation, counter, nonce, issuedAt, expiresAt } = unsigned;
  if (machineId !== at.machineId) return { ok: false, reason: "other_machine" };
  if (incarnation > at.incarnation) return { ok: false, reason: "older_run" };
  const isTooLong = expiresAt - issuedAt > MAX_SIGNATURE_TTL_MS;
  if (isTooLong || at.now > expiresAt + CLOCK_SKEW_MS || issuedAt > at.now + CLOCK_SKEW_MS) return { ok: false, reason: "expired" };
  if (Object.hasOwn(seen.nonces, nonce)) return { ok: false, reason: "replayed" };
  const lane = laneOf(command);
  const last = Object.hasOwn(seen.lanes, lane) ? (seen.lanes[lane] ?? 0) : 0;
  if (counter <= last) return { ok: false, reason: "reordered" };
  const living = Object.entries(seen.nonces).filter(([, until]) => until + CLOCK_SKEW_MS >= at.now);
  return { ok: true, seen: { lanes: { ...seen.lanes, [lane]: counter }, nonces: { ...Object.fromEntries(living), [nonce]: expiresAt } } };
}
