/** The one door for JSON bodies: size, media type, JSON, schema, in this order. What comes out may be trusted. */
import { AppError } from "../errors.ts";
import { MAX_JSON_BYTES } from "../config.ts";
import type { AppContext } from "./auth.ts";
import type * as z from "zod";

/** Problems named in one answer; the rest is noise. */
const MAX_ISSUES = 5;

export async function parseJson<T extends z.ZodType>(c: AppContext, schema: T, maxBytes = MAX_JSON_BYTES): Promise<z.output<T>> {
  const mediaType = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") throw new AppError("bad_request", { detail: "Send JSON with content-type application/json." });
  const bytes = await readAtMost(c.req.raw, maxBytes);
  if (bytes === null) throw new AppError("too_large");
  const result = schema.safeParse(toJson(bytes));
  if (result.success) return result.data;
  throw new AppError("bad_request", { detail: result.error.issues.slice(0, MAX_ISSUES).map(describe).join("; ") });
}

/** Names the field. A name that the caller made up may be anything, also a key pasted into the wrong place: it is not repeated. */
function describe(issue: z.core.$ZodIssue): string {
  const field = issue.path.map(String).every((part) => /^\w{1,40}$/.test(part)) ? issue.path.map(String).join(".") : "a field";
  return `${field || "body"}: ${issue.code === "unrecognized_keys" ? "has a field that is not known here" : issue.message}`;
}

function toJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new AppError("bad_request", { detail: "The body is not valid JSON.", cause });
  }
}

/** The body's bytes, or null when there are more than `maxBytes`: stops reading there, whatever the headers claimed. */
export async function readAtMost(
  source: Pick<Request | Response, "headers" | "body">,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (Number(source.headers.get("content-length") ?? 0) > maxBytes) return null;
  if (source.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of source.body) {
    total += chunk.byteLength;
    if (total > maxBytes) return null;
    chunks.push(chunk);
  }
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
