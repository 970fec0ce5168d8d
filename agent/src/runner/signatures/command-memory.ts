/**
 * What this machine remembers of signed commands of one session: counters, nonces, prompts taken, the modes that people chose.
 * Beside the pins and not in the session's own folder, which an order can remove. Written through to the disk before a command
 * is carried out, so that none is taken twice whatever is killed when (SPEC SG4).
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { modeSchema } from "@ai-dev-platform/protocol/events";
import { sessionIdSchema } from "@ai-dev-platform/protocol/ids";
import { MAX_SIGNATURE_TTL_MS } from "@ai-dev-platform/protocol/limits";
import { CLOCK_SKEW_MS, type SeenCommands } from "@ai-dev-platform/protocol/signing";
import * as z from "zod";

const keySchema = z.object({
  /** The highest counter of each lane, and when it was taken. */
  lanes: z.record(z.string(), z.object({ counter: z.int(), at: z.int() })),
  nonces: z.record(z.string(), z.int()),
});
const memorySchema = z.object({
  keys: z.record(z.string(), keySchema),
  /** Prompts taken, until no signature of theirs can be good any more. */
  prompts: z.record(z.string(), z.int()),
  /** Modes beyond the careful ones that a person chose by a signed command. */
  modes: z.array(modeSchema),
  /** Its owner lets others use this machine in this session. */
  allowsCollaborators: z.boolean(),
});
export type CommandMemory = z.infer<typeof memorySchema>;

export const EMPTY_MEMORY: CommandMemory = { keys: {}, prompts: {}, modes: [], allowsCollaborators: false };
/** A command that was signed before one of its lane can be good for this long after that one, and no longer. */
const FORGET_AFTER_MS = MAX_SIGNATURE_TTL_MS + 2 * CLOCK_SKEW_MS;

const fileOf = (signing: string, sessionId: string): string => path.join(signing, "sessions", `${sessionIdSchema.parse(sessionId)}.json`);

/** Null: there is one and it cannot be read. Then nothing may be taken, as it may have been taken before. */
export function readMemory(signing: string, sessionId: string): CommandMemory | null {
  const file = fileOf(signing, sessionId);
  if (!existsSync(file)) return EMPTY_MEMORY;
  try {
    return memorySchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return null;
  }
}

export function writeMemory(signing: string, sessionId: string, memory: CommandMemory): void {
  const file = fileOf(signing, sessionId);
  const folder = path.dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const next = `${file}.next`;
  writeFileSync(next, JSON.stringify(memory), { mode: 0o600, flush: true });
  renameSync(next, file);
  // Windows opens no folder; its rename is written through.
  if (process.platform === "win32") return;
  const opened = openSync(folder, "r");
  fsyncSync(opened);
  closeSync(opened);
}

const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined => (Object.hasOwn(record, key) ? record[key] : undefined);

export function seenOf(memory: CommandMemory, keyId: string): SeenCommands {
  const key = own(memory.keys, keyId);
  if (key === undefined) return { lanes: {}, nonces: {} };
  return { lanes: Object.fromEntries(Object.entries(key.lanes).map(([lane, { counter }]) => [lane, counter])), nonces: key.nonces };
}

/** With what was seen of a key now; what can play no part any more is forgotten. Pure. */
export function withSeen(memory: CommandMemory, keyId: string, seen: SeenCommands, now: number): CommandMemory {
  const before = own(memory.keys, keyId)?.lanes ?? {};
  const lanes = Object.entries(seen.lanes).flatMap(([lane, counter]) => {
    const at = own(before, lane)?.counter === counter ? (own(before, lane)?.at ?? now) : now;
    return at + FORGET_AFTER_MS < now ? [] : [[lane, { counter, at }] as const];
  });
  return { ...memory, keys: { ...memory.keys, [keyId]: { lanes: Object.fromEntries(lanes), nonces: seen.nonces } } };
}

export const hasPrompt = (memory: CommandMemory, promptId: string): boolean => Object.hasOwn(memory.prompts, promptId);

export function withPrompt(memory: CommandMemory, promptId: string, now: number): CommandMemory {
  const living = Object.entries(memory.prompts).filter(([, until]) => until >= now);
  return { ...memory, prompts: { ...Object.fromEntries(living), [promptId]: now + FORGET_AFTER_MS } };
}
