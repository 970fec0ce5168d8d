/**
 * A chat request answered by a provider that speaks OpenAI's dialect itself (SPEC MP5–MP7): the body goes as it came, but for
 * the name of the model where that had our prefix, and the answer comes as it is, while a tap reads what was used. Headers are
 * built from nothing in both directions; a provider's refusal becomes ours. Nothing of bodies is kept or logged.
 */
import * as z from "zod";
import type { ApiCaller } from "../api/caller.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import { callModel, sentTokens, type ModelCall } from "../llm/direct-call.ts";
import { dialectCostUsd, dialectEstimateUsd, thinksUnseen, type PricedCall } from "../llm/dialect-prices.ts";
import { dialectJsonTap, dialectStreamTap, type DialectTap } from "../llm/dialect-tap.ts";
import { NO_TOKENS, type TokenCounts } from "../llm/prices.ts";
import type { ModelRoute } from "../llm/providers.ts";
import { relay } from "../llm/relay.ts";
import type { AppContext } from "../middleware/auth.ts";
import { checked, type ChatBody } from "./request-body.ts";
import { replaceTopLevelString } from "./splice.ts";

type Route = Extract<ModelRoute, { kind: "openai-dialect" }>;

const JSON_TYPE = "application/json; charset=utf-8";
const STREAM_TYPE = "text/event-stream; charset=utf-8";
const BYTES_PER_TOKEN = 4;
/** What a picture, a sound or a document counts for at most in what is held. */
const MEDIA_TOKENS = 5_000;

const tokens = z.int().min(0).nullish();
/** What decides about money and about the way of the answer; the rest is the provider's to judge. */
const requestSchema = z.looseObject({
  messages: z.array(z.unknown()).min(1),
  max_tokens: tokens,
  max_completion_tokens: tokens,
  n: z.literal(1, { error: "only one choice is given; send n: 1 or leave it out" }).nullish(),
  service_tier: z.string().nullish(),
});
type Fields = z.infer<typeof requestSchema>;

export async function passThrough(c: AppContext, caller: ApiCaller, { provider, model }: Route, body: ChatBody): Promise<Response> {
  const fields = checked(requestSchema, body.fields);
  const bytes = body.model === model ? body.bytes : replaceTopLevelString(body.bytes, "model", model);
  if (bytes === null) throw new AppError("bad_request", { detail: "a name of a model is needed", param: "model" });
  const { customPrice, localPaths } = readConfig(c.env);
  const priced: PricedCall = { provider, model, customPrice, isFree: false, isPriority: fields.service_tier === "priority" };
  const tap = body.isStream ? dialectStreamTap() : dialectJsonTap();
  // In a local run the address is mostly this computer's, where nothing is paid; it is not known before the key is read.
  const held = { ...priced, isFree: provider === "custom" && localPaths };
  const maxTokens = fields.max_completion_tokens ?? fields.max_tokens ?? null;
  const estimateUsd = dialectEstimateUsd(held, inputTokens(fields, bytes.byteLength), maxTokens);
  const call: ModelCall = {
    caller,
    provider,
    path: "/chat/completions",
    model,
    body: bytes,
    estimateUsd,
    signal: c.req.raw.signal,
    defer: (work) => c.executionCtx.waitUntil(work),
    onRate: (rate) => c.set("rate", rate),
    price: (_, used) => ({ ...usageOf(used), costUsd: costOf(priced, used, tap, estimateUsd) }),
  };
  return relayed(await callModel(c.env, call), call, tap, body.isStream);
}

function relayed(
  { answer, abort, settle }: Awaited<ReturnType<typeof callModel>>,
  call: ModelCall,
  tap: DialectTap,
  isStream: boolean,
): Response {
  // Its own word on what it answers decides nothing: a page in a browser must not take a provider's for ours.
  const headers = { "content-type": isStream ? STREAM_TYPE : JSON_TYPE, "cache-control": isStream ? "no-cache, no-transform" : "no-store" };
  if (answer.body === null) {
    settle(NO_TOKENS);
    throw new AppError("upstream_unreachable", { detail: "its answer was empty" });
  }
  const { body, over } = relay(answer.body, tap, abort);
  const finish = async () => {
    await over;
    const counted = tap.counts();
    // Without a report the prompt is on the bill all the same.
    settle(tap.isReported() ? counted : { ...counted, inputTokens: sentTokens(call).inputTokens });
  };
  call.defer(finish());
  return new Response(body, { status: 200, headers });
}

const usageOf = ({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: TokenCounts) => ({
  inputTokens,
  outputTokens,
  cacheReadTokens,
  cacheWriteTokens,
});

/** Where nothing was sent there is nothing to pay; where a model's thinking was not seen, what was held is what it cost. */
function costOf(priced: PricedCall, used: TokenCounts, tap: DialectTap, heldUsd: number): number {
  if (used === NO_TOKENS) return 0;
  const costUsd = dialectCostUsd(priced, used, tap.reportedUsd());
  return !tap.isReported() && thinksUnseen(priced) ? Math.max(costUsd, heldUsd) : costUsd;
}

/** Of the body's size, without the bytes of its pictures, sounds and documents: they are not counted as text. */
function inputTokens({ messages }: Fields, bodyBytes: number): number {
  let bytes = bodyBytes;
  let media = 0;
  const walk = (value: unknown) => {
    if (typeof value === "string") {
      if (value.length <= MEDIA_TOKENS * BYTES_PER_TOKEN || !/^(data:[\w/+.;-]{1,100},|[\w+/]{64,}$)/.test(value.slice(0, 256))) return;
      bytes -= value.length;
      media += 1;
    } else if (typeof value === "object" && value !== null) for (const child of Object.values(value)) walk(child);
  };
  walk(messages);
  return Math.ceil(bytes / BYTES_PER_TOKEN) + media * MEDIA_TOKENS;
}
