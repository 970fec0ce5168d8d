/**
 * Whether a pasted text is a usable Anthropic key: first its form, here; then one question to the provider that spends nothing.
 * Tells four outcomes apart and nothing else: no name, organisation or limit of the account passes.
 */
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import { KEY_CHECK_TIMEOUT_MS } from "../config.ts";
import { isCreditProblem } from "./credit.ts";
import { Secret } from "./secret.ts";

export type FormatResult =
  | { ok: true; apiKey: Secret<string> }
  | { ok: false; code: Extract<ErrorCode, "key_format" | "key_admin" | "key_oauth"> };

/** What pasting adds around a key: spaces of all kinds, invisible characters, quotes, line ends. */
const PASTED_EDGES = /^[\s\u200b-\u200d\u2060\ufeff"'`“”‘’]+|[\s\u200b-\u200d\u2060\ufeff"'`“”‘’]+$/g;
/** Pasted twice is not a key, though it has the form. */
const API_KEY = /^sk-ant-api\d\d-(?!.*sk-ant-)[\w-]{8,200}$/;

export function checkFormat(pasted: string): FormatResult {
  const text = pasted.replace(PASTED_EDGES, "");
  if (text.startsWith("sk-ant-admin")) return { ok: false, code: "key_admin" };
  if (/^sk-ant-(oat|ort|sid|cc)/.test(text)) return { ok: false, code: "key_oauth" };
  return API_KEY.test(text) ? { ok: true, apiKey: new Secret(text) } : { ok: false, code: "key_format" };
}

export type KeyCheck = { outcome: "ok"; models: string[] } | { outcome: "invalid" | "no_credit" | "unreachable" };

/** Models kept for the screen's menu. */
const MAX_MODELS = 100;

export async function checkWithProvider(apiKey: Secret<string>, upstream: string): Promise<KeyCheck> {
  const client = new Anthropic({
    apiKey: apiKey.reveal(),
    baseURL: upstream,
    maxRetries: 0,
    timeout: KEY_CHECK_TIMEOUT_MS,
    logLevel: "off",
    fetch: (input, init) => fetch(input, init),
    // A redirect would carry the key to another host.
    fetchOptions: { redirect: "manual" },
  });
  try {
    const page = await client.models.list({ limit: MAX_MODELS });
    const models = page.data.map((model) => model.id).filter((id) => /^[\w.:-]{1,100}$/.test(id));
    return { outcome: "ok", models: models.slice(0, MAX_MODELS) };
  } catch (error) {
    return { outcome: judge(error) };
  }
}

function judge(error: unknown): "invalid" | "no_credit" | "unreachable" {
  if (!(error instanceof APIError) || error.status === undefined) return "unreachable";
  if (isCreditProblem(error.status, error.message)) return "no_credit";
  return error.status === 401 || error.status === 403 ? "invalid" : "unreachable";
}
