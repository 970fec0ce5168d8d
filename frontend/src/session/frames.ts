/**
 * The door for frames from the session. The server is our own origin's, and the schemas would cost the page more bytes than
 * the rest of the protocol: so the envelope is checked here by hand and the events inside are trusted (SPEC PV3).
 */
import type { ReadEntry } from "@ai-dev-platform/protocol/events";
import type { SessionFrame, ViewerFrame } from "@ai-dev-platform/protocol/viewer";

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

type FieldCheck = "string" | "number" | "array" | "object";
/** The fields without which a frame of this type cannot be handled. */
const REQUIRED: Record<SessionFrame["type"], Record<string, FieldCheck>> = {
  welcome: { version: "number", mode: "string", head: "number", role: "string", state: "object", live: "array" },
  events: { entries: "array", head: "number" },
  live: { thread: "string", block: "string", kind: "string", offset: "number", text: "string" },
  execution_output: { executionId: "string", stream: "string", offset: "number", text: "string" },
  meter: { costUsd: "number", turnCostUsd: "number" },
  progress: { step: "string", startedAt: "number" },
  history: { requestId: "string", entries: "array" },
  prompt_ack: { promptId: "string", seq: "number" },
  prompt_refused: { promptId: "string", code: "string", message: "string" },
  reply: { requestId: "string" },
  refused: { requestId: "string", code: "string", message: "string" },
  lagging: {},
};

/** An entry of the log, as far as a reader must be able to rely on it. */
export const isEntry = (value: unknown): value is ReadEntry =>
  isRecord(value) && Number.isSafeInteger(value["seq"]) && isRecord(value["event"]) && typeof value["event"]["type"] === "string";

function fits(value: unknown, check: FieldCheck): boolean {
  if (check === "array") return Array.isArray(value);
  if (check === "object") return isRecord(value);
  return typeof value === check;
}

function isSessionFrame(value: unknown): value is SessionFrame {
  if (!isRecord(value)) return false;
  const { type, entries } = value;
  if (typeof type !== "string" || !Object.hasOwn(REQUIRED, type)) return false;
  const required: Record<string, FieldCheck> = Object.entries(REQUIRED).find(([name]) => name === type)?.[1] ?? {};
  if (!Object.entries(required).every(([field, check]) => fits(value[field], check))) return false;
  return !Array.isArray(entries) || entries.every(isEntry);
}

/** Null for anything that is not a known frame: a newer server may send more, and what is not known is not needed. */
export function decodeSessionFrame(message: unknown): SessionFrame | null {
  if (typeof message !== "string") return null;
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return null;
  }
  return isSessionFrame(value) ? value : null;
}

export const encodeViewerFrame = (frame: ViewerFrame): string => JSON.stringify(frame);

/** UTF-8 length, without allocating: what the session counts against this viewer's credit. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xd800 && unit <= 0xdbff) {
      bytes += 2;
      index++;
    } else bytes += 2;
  }
  return bytes;
}
