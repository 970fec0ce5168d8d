/**
 * Reads the one frame that comes many times a second, a piece of streamed text, without the schema's cost. PURE.
 * As strict as `runnerFrameSchema`: what is not exactly such a frame is null, and then the schema says what it is.
 */
import { threadSchema } from "@ai-dev-platform/protocol/ids";
import type { RunnerFrame } from "@ai-dev-platform/protocol/runner";

type LivePiece = Extract<RunnerFrame, { type: "live" }>;

/** Every writer of ours puts the type first. A frame that does not is read by the schema. */
const START = `{"type":"live",`;
const MAX_BLOCK_ID_CHARS = 200;
const FIELDS: ReadonlySet<string> = new Set(["type", "thread", "block", "kind", "offset", "text", "parentToolId"]);

/** Threads that were judged; a session has a handful. */
const goodThreads = new Set<string>();
const MAX_REMEMBERED_THREADS = 1_000;

export function readLivePiece(message: string | ArrayBuffer, maxChars: number): LivePiece | null {
  if (typeof message !== "string" || message.length > maxChars || !message.startsWith(START)) return null;
  const value = parseOrNull(message);
  return isLivePiece(value) ? value : null;
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isLivePiece(value: unknown): value is LivePiece {
  if (typeof value !== "object" || value === null) return false;
  const frame: { [Field in keyof LivePiece]?: unknown } = value;
  for (const field of Object.keys(frame)) if (!FIELDS.has(field)) return false;
  const { type, thread, block, kind, offset, text, parentToolId } = frame;
  return (
    type === "live" &&
    isThread(thread) &&
    typeof block === "string" &&
    block.length <= MAX_BLOCK_ID_CHARS &&
    (kind === "text" || kind === "thinking") &&
    typeof offset === "number" &&
    Number.isSafeInteger(offset) &&
    offset >= 0 &&
    typeof text === "string" &&
    (parentToolId === undefined || typeof parentToolId === "string")
  );
}

function isThread(value: unknown): value is string {
  if (typeof value !== "string") return false;
  if (goodThreads.has(value)) return true;
  if (!threadSchema.safeParse(value).success) return false;
  if (goodThreads.size >= MAX_REMEMBERED_THREADS) goodThreads.clear();
  goodThreads.add(value);
  return true;
}
