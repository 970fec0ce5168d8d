/** The only place where a frame becomes text and text becomes a frame. */
import type * as z from "zod";

export type Decoded<T> = { ok: true; frame: T } | { ok: false; code: "bad_frame" | "too_large"; detail: string };

/** Decodes one text frame against a schema. `maxBytes` is judged on UTF-16 length first, which never exceeds UTF-8's. */
export function decodeFrame<S extends z.ZodType>(
  schema: S,
  message: string | ArrayBuffer | Uint8Array,
  maxBytes: number,
): Decoded<z.infer<S>> {
  if (typeof message !== "string") return { ok: false, code: "bad_frame", detail: "binary frames are not used" };
  if (message.length > maxBytes) return { ok: false, code: "too_large", detail: `a frame is at most ${maxBytes} bytes` };
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return { ok: false, code: "bad_frame", detail: "not JSON" };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, frame: parsed.data };
  const issue = parsed.error.issues[0];
  return { ok: false, code: "bad_frame", detail: issue === undefined ? "invalid" : `${issue.path.join(".") || "frame"}: ${issue.message}` };
}

export const encodeFrame = (frame: { type: string }): string => JSON.stringify(frame);
