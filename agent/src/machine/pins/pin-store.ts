/**
 * Whom this machine listens to: the public keys of its owner's browsers, pinned for one server (SPEC SG3). One small file for
 * each key, so that processes that pin and unpin at the same time lose nothing. Read anew for each command: what is removed
 * counts no more from then on. Nothing here comes from the server without a person, or a pinned key, having said so.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { machineIdSchema } from "@ai-dev-platform/protocol/ids";
import { browserKeyIdSchema, publicKeySchema } from "@ai-dev-platform/protocol/signing";
import * as z from "zod";

/** Set for runners of a person's own machine: the folder of this module. Its presence is what makes a runner ask for signatures. */
export const SIGNING_VARIABLE = "AI_DEV_AGENT_SIGNING";

export const PIN_ORIGINS = ["sign_in", "by_hand", "other_browser"] as const;
const pinSchema = z.object({
  keyId: browserKeyIdSchema,
  publicKey: publicKeySchema,
  name: z.string(),
  pinnedAt: z.int(),
  origin: z.enum(PIN_ORIGINS),
});
export type Pin = z.infer<typeof pinSchema>;

const ownerSchema = z.object({ machineId: machineIdSchema });
const KEY_ID_BYTES = 16;

/** `dataDir`: the machine's folder for one server. */
export const signingDir = (dataDir: string): string => path.join(dataDir, "signing");
const keysDir = (signing: string): string => path.join(signing, "keys");
const keyFile = (signing: string, keyId: string): string => path.join(keysDir(signing), `${keyId}.json`);
const unsignedFile = (signing: string): string => path.join(signing, "unsigned-allowed");

export function keyIdOf(publicKey: string): string {
  const hash = createHash("sha256").update(Buffer.from(publicKey, "base64url")).digest();
  return hash.subarray(0, KEY_ID_BYTES).toString("base64url");
}

export function addPin(signing: string, key: Pick<Pin, "publicKey" | "name" | "origin">, now: number): Pin {
  const pin: Pin = { keyId: keyIdOf(key.publicKey), ...key, pinnedAt: now };
  writeWhole(keyFile(signing, pin.keyId), JSON.stringify(pin));
  return pin;
}

/** False when it was not there. */
export function removePin(signing: string, keyId: string): boolean {
  if (findPin(signing, keyId) === null) return false;
  rmSync(keyFile(signing, keyId), { force: true });
  return true;
}

export function findPin(signing: string, keyId: string): Pin | null {
  if (!browserKeyIdSchema.safeParse(keyId).success) return null;
  const pin = readJson(keyFile(signing, keyId), pinSchema);
  // A file under another key's name is no pin.
  return pin !== null && pin.keyId === keyId && keyIdOf(pin.publicKey) === keyId ? pin : null;
}

/** Oldest first. */
export function listPins(signing: string): Pin[] {
  let names: string[];
  try {
    names = readdirSync(keysDir(signing));
  } catch {
    return [];
  }
  const ids = names.flatMap((name) => (name.endsWith(".json") ? [name.slice(0, -".json".length)] : []));
  const pins = ids.flatMap((keyId) => findPin(signing, keyId) ?? []);
  return pins.toSorted((a, b) => a.pinnedAt - b.pinnedAt || a.keyId.localeCompare(b.keyId));
}

/** The person said on this machine that it does what the server asks, signed or not. */
export const allowsUnsigned = (dataDir: string): boolean => readText(unsignedFile(signingDir(dataDir))) !== null;

export function setAllowsUnsigned(dataDir: string, isAllowed: boolean): void {
  const file = unsignedFile(signingDir(dataDir));
  if (isAllowed) writeWhole(file, "");
  else rmSync(file, { force: true });
}

/** What a runner of a person's own machine is started with. */
export function signingEnvironment(dataDir: string, machineId: string): Record<string, string> {
  if (allowsUnsigned(dataDir)) return {};
  const signing = signingDir(dataDir);
  writeWhole(path.join(signing, "machine.json"), JSON.stringify({ machineId }));
  return { [SIGNING_VARIABLE]: signing };
}

/** Null: it cannot be told which machine this is, and so nothing can be meant for it. */
export const signingMachineId = (signing: string): string | null =>
  readJson(path.join(signing, "machine.json"), ownerSchema)?.machineId ?? null;

function writeWhole(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.${process.pid}.next`, text, { mode: 0o600 });
  renameSync(`${file}.${process.pid}.next`, file);
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

function readJson<S extends z.ZodType>(file: string, schema: S): z.infer<S> | null {
  const text = readText(file);
  if (text === null) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
