/** The door for OpenAI-shaped bodies: size, media type, JSON that reads one way only, schema. Names the field that is wrong (SPEC OA2). */
import * as z from "zod";
import { AppError } from "../errors.ts";
import { parseStrict } from "../llm/strict-json.ts";
import { readAtMost } from "../middleware/body.ts";
import { chatRequestSchema, type ChatRequest } from "./request.ts";

/** A few pictures fit; far below what a Worker can hold. */
export const MAX_BODY_BYTES = 10 * 1_048_576;
/** Deeper than any conversation or schema; a limit only so that no walk over it can be made to overflow. */
const MAX_DEPTH = 64;

const envelopeSchema = z.looseObject({ model: chatRequestSchema.shape.model, stream: chatRequestSchema.shape.stream });

/** What every way of answering needs to know; the rest is for the dialect that answers. */
export interface ChatBody {
  /** Whole, also with what is not known here. */
  fields: Record<string, unknown>;
  /** As it came. */
  bytes: Uint8Array<ArrayBuffer>;
  model: string;
  isStream: boolean;
}

export async function readChatBody(request: Request): Promise<ChatBody> {
  const mediaType = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") throw new AppError("bad_request", { detail: "Send JSON with content-type application/json." });
  if (!["", "identity"].includes(request.headers.get("content-encoding") ?? ""))
    throw new AppError("bad_request", { detail: "Send the body uncompressed." });
  const bytes = await readAtMost(request, MAX_BODY_BYTES);
  if (bytes === null) throw new AppError("too_large", { detail: `At most ${MAX_BODY_BYTES / 1_048_576} MB are taken.` });
  const parsed = parseStrict(decode(bytes), MAX_DEPTH);
  if (!parsed.ok) throw new AppError("bad_request", { detail: WHY[parsed.reason] });
  const envelope = checked(envelopeSchema, parsed.value);
  return { fields: envelope, model: envelope.model, bytes, isStream: envelope.stream === true };
}

export const chatRequestOf = (body: ChatBody): ChatRequest => checked(chatRequestSchema, body.fields);

const WHY = {
  not_json: "The body is not valid JSON.",
  duplicate_key: "The body has the same key twice in one object.",
  too_deep: `The body is nested deeper than ${MAX_DEPTH} levels.`,
} as const;

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("bad_request", { detail: "The body is not UTF-8.", cause });
  }
}

export function checked<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = innermost(result.error.issues);
  const param = paramOf(issue.path);
  throw new AppError("bad_request", { detail: issue.message, ...(param === "" ? {} : { param }) });
}

interface Issue {
  path: PropertyKey[];
  message: string;
}

/** Of a union's alternatives the one that came farthest: that is what the client meant. */
function innermost(issues: readonly z.core.$ZodIssue[], base: readonly PropertyKey[] = []): Issue {
  const [first] = issues;
  if (first === undefined) return { path: [...base], message: "Invalid input" };
  const path = [...base, ...first.path];
  if (first.code !== "invalid_union") return { path, message: first.message };
  const branches = first.errors.filter((branch) => branch.length > 0).map((branch) => innermost(branch, path));
  const deepest = branches.toSorted((a, b) => b.path.length - a.path.length)[0];
  return deepest !== undefined && deepest.path.length > path.length ? deepest : { path, message: messageOfUnion(first, branches) };
}

const messageOfUnion = (issue: z.core.$ZodIssue, branches: readonly Issue[]): string =>
  [...new Set(branches.map(({ message }) => message))].slice(0, 3).join(", or ") || issue.message;

/** As OpenAI writes it: `messages[0].content`. A name that the caller made up may be anything: it is not repeated. */
export function paramOf(path: readonly PropertyKey[]): string {
  let param = "";
  for (const part of path) {
    if (typeof part === "number") param += `[${part}]`;
    else if (/^\w{1,40}$/.test(String(part))) param += `${param === "" ? "" : "."}${String(part)}`;
    else return param;
  }
  return param;
}
