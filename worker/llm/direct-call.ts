/**
 * One call of a model that is paid by a stored key outside of a session (SPEC OA5, OA6): held against the token's budget, the key lent,
 * sent, and settled once, whatever happened. Owns the order of these; knows nothing of the dialect of bodies.
 * On the way stand one call of the account and the read of the sealed key, side by side, and no write.
 */
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import type { Usage } from "@ai-dev-platform/protocol/events";
import type { RateState } from "../api/account-api.ts";
import { apiAccount } from "../api/account.ts";
import type { ApiCaller } from "../api/caller.ts";
import { AppError } from "../errors.ts";
import { markKey } from "../keys/vault.ts";
import { createLogger, errorFields } from "../log.ts";
import { readAtMost } from "../middleware/body.ts";
import { NO_TOKENS, withCost, type TokenCounts } from "./prices.ts";
import { keyTroubleOf, providerError } from "./provider-error.ts";
import { findPayer, type Payer } from "./providers.ts";
import { translated, type Translator } from "./relay.ts";

const log = createLogger("direct-call");
const MAX_ERROR_BYTES = 1_048_576;
/** The official clients wait as long for an answer. */
const ANSWER_TIMEOUT_MS = 600_000;
/** A provider says something every few seconds while it works. */
const STREAM_IDLE_MS = 120_000;
const BYTES_PER_TOKEN = 4;

export interface ModelCall {
  caller: ApiCaller;
  provider: Provider;
  /** After the provider's address. */
  path: string;
  /** For the price, until the answer names another. */
  model: string;
  body: string | Uint8Array<ArrayBuffer>;
  estimateUsd: number;
  /** The client's: it has gone. */
  signal: AbortSignal;
  defer(work: Promise<unknown>): void;
  /** What is left of the caller's rate, also where it is refused. */
  onRate(rate: RateState): void;
  /** US list prices of Anthropic's models, unless said. */
  price?: (model: string, tokens: TokenCounts) => Usage;
}

export interface OpenCall {
  /** With a status of 200 to 299. */
  answer: Response;
  abort: AbortController;
  /** The first counts. */
  settle(tokens: TokenCounts, servedModel?: string | null): void;
}

/** Throws what the client is told; nothing is held then. */
export async function callModel(env: Env, call: ModelCall): Promise<OpenCall> {
  const { caller, provider, estimateUsd } = call;
  const paid = findPayer(env, caller.userId, provider, call.defer).then(
    (payer) => ({ payer, error: null }),
    (error: unknown) => ({ payer: null, error }),
  );
  const { tokenId, budgetUsd } = caller;
  const verdict = await apiAccount(env, caller.userId).admit({ tokenId, budgetUsd, kind: "chat", estimateUsd });
  call.onRate(verdict.rate);
  if (!verdict.ok) throw new AppError(verdict.code, verdict.retryAfterMs > 0 ? { retryAfterMs: verdict.retryAfterMs } : {});
  const { payer, error } = await paid;
  const settle = settlement(env, call, verdict.callId, payer);
  try {
    if (payer === null) throw error;
    if (!payer.ok) throw new AppError(payer.code, payer.detail === undefined ? {} : { detail: payer.detail });
    const { answer, abort } = await send(call, payer, settle);
    if (!answer.ok) throw await refusalOf(env, call, payer, answer);
    return { answer, abort, settle };
  } catch (problem) {
    settle(NO_TOKENS);
    throw problem;
  }
}

/** What was sent is on the bill, also where the client did not wait for the answer. */
export const sentTokens = ({ body }: ModelCall): TokenCounts => ({ ...NO_TOKENS, inputTokens: Math.ceil(body.length / BYTES_PER_TOKEN) });

type Settle = OpenCall["settle"];
type Lent = Extract<Payer, { ok: true }>;

function settlement(env: Env, call: ModelCall, callId: string, payer: Payer | null): Settle {
  const startedAt = Date.now();
  const { caller, model, provider, price = withCost } = call;
  let isSettled = false;
  return (tokens, servedModel) => {
    if (isSettled) return;
    isSettled = true;
    const priced = price(servedModel ?? model, tokens);
    const usage = payer?.ok === true && payer.isFree ? { ...priced, costUsd: 0 } : priced;
    const { userId, tokenId } = caller;
    log.info("model_call", { userId, tokenId, provider, model, durationMs: Date.now() - startedAt, ...usage });
    const told = apiAccount(env, userId).settle({ callId, tokenId, usage });
    call.defer(told.catch((error: unknown) => log.warn("settle_failed", { userId, tokenId, ...errorFields(error) })));
  };
}

async function send(call: ModelCall, payer: Lent, settle: Settle): Promise<{ answer: Response; abort: AbortController }> {
  const abort = new AbortController();
  const leave = () => abort.abort();
  if (call.signal.aborted) leave();
  call.signal.addEventListener("abort", leave);
  const timer = setTimeout(leave, ANSWER_TIMEOUT_MS);
  try {
    const answer = await fetch(payer.upstream + call.path, {
      method: "POST",
      headers: payer.headers(),
      body: call.body,
      // A redirect would carry the key to another host.
      redirect: "manual",
      signal: abort.signal,
    });
    return { answer, abort };
  } catch (cause) {
    // A client that left has its prompt on the bill: what came of it nobody tells any more.
    if (call.signal.aborted) settle(sentTokens(call));
    throw new AppError("upstream_unreachable", { cause });
  } finally {
    clearTimeout(timer);
  }
}

async function refusalOf(env: Env, call: ModelCall, payer: Lent, answer: Response): Promise<AppError> {
  const bytes = await readAtMost(answer, MAX_ERROR_BYTES);
  const text = bytes === null ? "" : payer.conceal(new TextDecoder().decode(bytes));
  const trouble = payer.keyId === null ? null : keyTroubleOf(answer.status, text);
  if (trouble !== null && payer.keyId !== null) call.defer(markKey(env, call.caller.userId, payer.keyId, trouble));
  return providerError(answer.status, text, answer.headers);
}

/** Also says what was used and by which model. */
export interface CountingTranslator extends Translator {
  counts(): TokenCounts;
  model(): string | null;
}

/** The answer as it comes, in the client's dialect; settled when it is over in any way. */
export function streamAnswer(
  { answer, abort, settle }: OpenCall,
  call: ModelCall,
  translator: CountingTranslator,
): ReadableStream<Uint8Array> {
  const source = answer.body ?? new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  const { body, over } = translated(source, translator, abort, STREAM_IDLE_MS);
  const finish = async () => {
    await over;
    settle(translator.counts(), translator.model());
  };
  call.defer(finish());
  return body;
}

/** The answer in one piece; null: it is larger than any is, or broke off. The caller settles. */
export async function wholeAnswer({ answer }: OpenCall, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
  return readAtMost(answer, maxBytes).catch(() => null);
}
