/**
 * Ids: a three-letter prefix that names the kind, then 26 characters of lower-case base32 (130 random bits).
 * The prefix lets a reader, a log and a schema tell a session from a prompt.
 */
import * as z from "zod";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
export const ID_RANDOM_BYTES = 26;

const PREFIXES = {
  session: "ses",
  project: "prj",
  prompt: "prm",
  turn: "trn",
  approval: "apr",
  snapshot: "snp",
  share: "shr",
  key: "key",
  machine: "mch",
  request: "req",
  mcp: "mcp",
  gitCredential: "gcr",
  import: "imp",
  apiToken: "tok",
  webhook: "whk",
  execution: "exe",
} as const;
export type IdKind = keyof typeof PREFIXES;

/** Formats random bytes (at least 26) as an id. The caller brings the randomness: this package has no platform. */
export function formatId(kind: IdKind, random: Uint8Array): string {
  if (random.length < ID_RANDOM_BYTES) throw new RangeError(`an id needs ${ID_RANDOM_BYTES} random bytes`);
  let id = `${PREFIXES[kind]}_`;
  for (const byte of random.subarray(0, ID_RANDOM_BYTES)) id += ALPHABET[byte & 31];
  return id;
}

const id = (kind: IdKind) => z.string().regex(new RegExp(`^${PREFIXES[kind]}_[0-9a-z]{26}$`));

export const sessionIdSchema = id("session");
export const projectIdSchema = id("project");
export const promptIdSchema = id("prompt");
export const turnIdSchema = id("turn");
export const approvalIdSchema = id("approval");
export const snapshotIdSchema = id("snapshot");
export const shareIdSchema = id("share");
export const machineIdSchema = id("machine");
export const requestIdSchema = id("request");
export const gitCredentialIdSchema = id("gitCredential");
export const importIdSchema = id("import");
export const apiTokenIdSchema = id("apiToken");
export const webhookIdSchema = id("webhook");
export const executionIdSchema = id("execution");

/** One run of a runner for a session: rises by one each time a runner is started; older ones are fenced off. */
export const incarnationSchema = z.int().min(1);
export const seqSchema = z.int().min(0);
/** A thread's name. A session starts with `main`. */
export const threadSchema = z.string().min(1).max(64);
export const MAIN_THREAD = "main";
/** Request header in which an agent names its thread to the model proxy, so that each turn's cost is its own. */
export const THREAD_HEADER = "x-aidev-thread";
/** The name of a thread that a client starts. */
export const newThreadSchema = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/);
