/**
 * A chat request answered by one of Anthropic's models, paid by the caller's stored key (SPEC OA1–OA6): translated, called, and
 * translated back, as a stream or in one piece.
 */
import { apiErrorBody } from "../api/errors.ts";
import type { ApiCaller } from "../api/caller.ts";
import { sha256Hex } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { callModel, sentTokens, streamAnswer, wholeAnswer, type ModelCall, type OpenCall } from "../llm/direct-call.ts";
import { estimateUsd, NO_TOKENS } from "../llm/prices.ts";
import type { AppContext } from "../middleware/auth.ts";
import { StreamTranslator, toCompletion } from "./from-anthropic.ts";
import type { ChatRequest } from "./request.ts";
import { toAnthropic, type AnthropicRequest } from "./to-anthropic.ts";

/** An answer of the longest length is a few megabytes. */
const MAX_ANSWER_BYTES = 16 * 1_048_576;
/** What a picture or a page counts for at most, as text of four bytes a token. */
const MEDIA_BYTES = 20_000;

export const STREAM_HEADERS = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache, no-transform" } as const;

export async function answerDirectly(c: AppContext, caller: ApiCaller, request: ChatRequest, model: string): Promise<Response> {
  const asked = toAnthropic(request, model, await userHashOf(caller, request));
  const body = JSON.stringify(asked);
  const call: ModelCall = {
    caller,
    provider: "anthropic",
    path: "/v1/messages",
    model,
    body,
    estimateUsd: estimateUsd(model, textBytes(asked, body), asked.max_tokens),
    signal: c.req.raw.signal,
    defer: (work) => c.executionCtx.waitUntil(work),
    onRate: (rate) => c.set("rate", rate),
  };
  const open = await callModel(c.env, call);
  const createdS = Math.floor(Date.now() / 1_000);
  if (!asked.stream) return whole(call, open, createdS);
  const requestId = c.get("requestId");
  const translator = new StreamTranslator({
    model,
    createdS,
    includeUsage: request.stream_options?.include_usage === true,
    problem: (type, message) => apiErrorBody(streamProblem(type, message), requestId),
  });
  return new Response(streamAnswer(open, call, translator), { headers: STREAM_HEADERS });
}

async function whole(call: ModelCall, open: OpenCall, createdS: number): Promise<Response> {
  const bytes = await wholeAnswer(open, MAX_ANSWER_BYTES);
  const answer = bytes === null ? null : toCompletion(json(bytes), createdS);
  if (answer === null) {
    open.settle(call.signal.aborted ? sentTokens(call) : NO_TOKENS);
    throw new AppError("upstream_unreachable", { detail: "its answer could not be read" });
  }
  open.settle(answer.tokens, answer.model);
  return Response.json(answer.body);
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

/** The provider wants to tell people apart without knowing them. */
async function userHashOf({ userId }: ApiCaller, { user, safety_identifier: identifier }: ChatRequest): Promise<string | null> {
  const name = identifier ?? user ?? "";
  return name === "" ? null : sha256Hex(`${userId}\n${name}`);
}

/** Of a body without the bytes of its pictures and documents: they are not counted as text. */
function textBytes({ messages }: AnthropicRequest, body: string): number {
  let bytes = body.length;
  for (const { content } of messages) {
    if (typeof content === "string") continue;
    for (const block of content) {
      if (block.type !== "image" && block.type !== "document") continue;
      const data = block.source.type === "base64" ? block.source.data.length : 0;
      bytes += MEDIA_BYTES - data;
    }
  }
  return bytes;
}

const STREAM_CODES: Readonly<Record<string, "unavailable" | "rate_limited" | "bad_request">> = {
  overloaded_error: "unavailable",
  rate_limit_error: "rate_limited",
  invalid_request_error: "bad_request",
};

/** Of a provider's words in the middle of an answer only our own are shown. */
function streamProblem(type: string, message: string): AppError {
  const code = STREAM_CODES[type];
  if (code !== undefined) return new AppError(code, { detail: "the model provider, in the middle of the answer" });
  return new AppError("upstream_unreachable", { detail: type === "cut_off" ? message : "it broke off in the middle of the answer" });
}
