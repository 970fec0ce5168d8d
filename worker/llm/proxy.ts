/**
 * The proxy that spends a key (SPEC MO1–MO3): judge the path, the token's session and the body; hold the estimate; lend the key;
 * relay; settle with what was used. The only caller of the vault's `lendKey`. Never logs a body or a header.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import { isCreditProblem } from "../keys/credit.ts";
import { Secret } from "../keys/secret.ts";
import { lendKey, markKey, readSealed } from "../keys/vault.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import { createLogger, errorFields } from "../log.ts";
import { readAtMost } from "../middleware/body.ts";
import type { ModelCallOutcome, ModelCallVerdict } from "../session/api.ts";
import { sessionStub } from "../session/stub.ts";
import { tokenCaller, type ModelCaller } from "./caller.ts";
import { answerHeaders, upstreamHeaders } from "./headers.ts";
import { judgeBody, judgePath, refusedBeta, type Endpoint } from "./policy.ts";
import { estimateUsd, NO_TOKENS, withCost, type TokenCounts } from "./prices.ts";
import { refusal } from "./refusal.ts";
import { relay } from "./relay.ts";
import { jsonTap, streamTap } from "./usage-tap.ts";

const log = createLogger("llm");
/** The provider's own limit. */
const MAX_BODY_BYTES = 32 * 1_048_576;
/** An error's body is read to tell why. The provider's are far smaller; a larger one did not come from there. */
const MAX_ERROR_BYTES = 1_048_576;
const PATHS: Record<Endpoint, string> = { messages: "/v1/messages", count_tokens: "/v1/messages/count_tokens" };

type Defer = (work: Promise<unknown>) => void;
type Admitted = Extract<ModelCallVerdict, { ok: true }>;

interface Call {
  env: Env;
  sessionId: string;
  endpoint: Endpoint;
  query: string;
  model: string;
  isStream: boolean;
  body: Uint8Array<ArrayBuffer>;
  inbound: Request;
  verdict: Admitted;
  sealed: ReturnType<typeof readSealed>;
  defer: Defer;
}

export async function handleModelRequest(
  env: Env,
  request: Request,
  defer: Defer,
  caller: ModelCaller | null = tokenCaller(env, request.headers),
): Promise<Response> {
  const url = new URL(request.url);
  const door = judgePath(request.method, url);
  if (door.kind === "hello") return new Response(null, { status: 200 });
  if (door.kind === "closed") return refusal("model_path_refused");
  if (caller === null) return refusal("model_token_refused");
  const beta = refusedBeta(request.headers.get("anthropic-beta"));
  if (beta !== null) return refusal("model_body_refused", `the beta ${beta} is closed here`);
  if (!["", "identity"].includes(request.headers.get("content-encoding") ?? ""))
    return refusal("model_body_refused", "send the body uncompressed");
  const sealed = readSealed(env, caller.sessionId);
  const body = await readAtMost(request, MAX_BODY_BYTES);
  if (body === null) return refusal("too_large");
  const judged = judgeBody(body, door.endpoint);
  if (!judged.ok) return refusal("model_body_refused", judged.detail);

  const isFree = door.endpoint === "count_tokens";
  const heldUsd = isFree ? 0 : estimateUsd(judged.model, body.byteLength, judged.maxTokens);
  const verdict = await caller.authorize(judged.model, heldUsd);
  if (!verdict.ok) return refusal(verdict.code);
  const { model, isStream } = judged;
  return forward({
    env,
    sessionId: caller.sessionId,
    endpoint: door.endpoint,
    query: url.search,
    model,
    isStream,
    body,
    inbound: request,
    verdict,
    sealed,
    defer,
  });
}

type Payer = { ok: true; upstream: string; key: Secret<string>; keyId: string | null } | { ok: false; code: ErrorCode };

async function findPayer({ env, verdict, sealed, defer }: Call): Promise<Payer> {
  const config = readConfig(env);
  if (verdict.modelSource === "demo") {
    if (config.demoModelUrl === null) return { ok: false, code: "demo_off" };
    return { ok: true, upstream: config.demoModelUrl, key: new Secret("demo"), keyId: null };
  }
  try {
    const lent = await lendKey(env, verdict.ownerId, defer, await sealed);
    return lent.ok ? { ok: true, upstream: config.anthropicUpstream, key: lent.secret, keyId: lent.keyId } : lent;
  } catch (error) {
    if (error instanceof AppError) return { ok: false, code: error.code };
    throw error;
  }
}

async function forward(call: Call): Promise<Response> {
  const settle = settlement(call);
  try {
    const payer = await findPayer(call);
    if (!payer.ok) {
      settle(NO_TOKENS, 0, null);
      return refusal(payer.code);
    }
    const abort = new AbortController();
    call.inbound.signal.addEventListener("abort", () => abort.abort());
    const answer = await fetch(payer.upstream + PATHS[call.endpoint] + call.query, {
      method: "POST",
      headers: upstreamHeaders(call.inbound.headers, payer.key),
      body: call.body,
      redirect: "manual",
      signal: abort.signal,
    }).catch(() => null);
    if (answer === null || (answer.status >= 300 && answer.status < 400)) {
      settle(NO_TOKENS, answer?.status ?? 0, null);
      return refusal("upstream_unreachable");
    }
    return answer.ok ? relayAnswer(call, answer, abort, settle) : await relayError(call, answer, payer.keyId, settle);
  } catch (error) {
    settle(NO_TOKENS, 0, null);
    throw error;
  }
}

type Settle = (tokens: TokenCounts, status: number, keyProblem: ModelCallOutcome["keyProblem"], servedModel?: string | null) => void;

/** The first settlement counts; what is held is released exactly once. */
function settlement({ env, sessionId, verdict, model, endpoint, defer }: Call): Settle {
  const startedAt = Date.now();
  let isSettled = false;
  return (tokens, status, keyProblem, servedModel) => {
    if (isSettled) return;
    isSettled = true;
    const priced = withCost(servedModel ?? model, tokens);
    // The demo model is a script: it costs nobody anything.
    const usage = verdict.modelSource === "demo" ? { ...priced, costUsd: 0 } : priced;
    log.info("model_call", {
      sessionId,
      ownerId: verdict.ownerId,
      endpoint,
      model,
      status,
      durationMs: Date.now() - startedAt,
      ...usage,
      keyProblem,
    });
    const told = sessionStub(env, sessionId).settleModelCall({ callId: verdict.callId, usage, status, keyProblem });
    defer(told.catch((error: unknown) => log.warn("settle_failed", { sessionId, ...errorFields(error) })));
  };
}

function relayAnswer({ isStream, defer, endpoint }: Call, answer: Response, abort: AbortController, settle: Settle): Response {
  const headers = answerHeaders(answer.headers);
  if (answer.body === null) {
    settle(NO_TOKENS, answer.status, null);
    return new Response(null, { status: answer.status, headers });
  }
  const tap = isStream ? streamTap() : jsonTap();
  const { body, over } = relay(answer.body, tap, abort);
  const finish = async () => {
    await over;
    const isPriced = endpoint === "messages";
    settle(isPriced ? tap.counts() : NO_TOKENS, answer.status, null, tap.model());
  };
  defer(finish());
  return new Response(body, { status: answer.status, headers });
}

async function relayError(call: Call, answer: Response, keyId: string | null, settle: Settle): Promise<Response> {
  const headers = answerHeaders(answer.headers);
  // Passed on unmodified: the client's own retry logic reads the words.
  const bytes = await readAtMost(answer, MAX_ERROR_BYTES);
  if (bytes === null) {
    settle(NO_TOKENS, answer.status, null);
    return refusal("upstream_unreachable");
  }
  const keyProblem = keyProblemOf(answer.status, new TextDecoder().decode(bytes));
  // The same key gives the same answer: asking again would only be a storm.
  if (keyProblem === "key_invalid" || keyProblem === "key_no_credit") headers.set("x-should-retry", "false");
  if (keyId !== null && keyProblem === "key_invalid") call.defer(markKey(call.env, call.verdict.ownerId, keyId, "refused"));
  if (keyId !== null && keyProblem === "key_no_credit") call.defer(markKey(call.env, call.verdict.ownerId, keyId, "no_credit"));
  settle(NO_TOKENS, answer.status, keyProblem);
  return new Response(bytes, { status: answer.status, headers });
}

function keyProblemOf(status: number, text: string): ModelCallOutcome["keyProblem"] {
  if (status === 401) return "key_invalid";
  if (isCreditProblem(status, text)) return "key_no_credit";
  return status === 429 ? "rate_limited" : null;
}
