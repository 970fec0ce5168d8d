/**
 * Whether a pasted text is a usable key of a provider: first its form, here; then a question to that provider that spends
 * nothing. Tells four outcomes apart and nothing else: no name, organisation or limit of the account passes, and no redirect
 * is followed, for it would carry the key to another host.
 */
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import { KEY_CHECK_TIMEOUT_MS } from "../config.ts";
import { isCreditProblem } from "./credit.ts";
import { checkCustom, checkOpenAi, checkOpenRouter } from "./validate-dialect.ts";
import { Secret } from "./secret.ts";
import type { KeyTarget } from "./vault.ts";

export type FormatResult =
  | { ok: true; apiKey: Secret<string> }
  | { ok: false; code: Extract<ErrorCode, "key_format" | "key_admin" | "key_oauth">; detail?: string };

/** What pasting adds around a key: spaces of all kinds, invisible characters, quotes, line ends. */
const PASTED_EDGES = /^[\s\u200b-\u200d\u2060\ufeff"'`“”‘’]+|[\s\u200b-\u200d\u2060\ufeff"'`“”‘’]+$/g;
/** Pasted twice is not a key, though it has the form. */
const FORMS: Readonly<Record<Provider, { form: RegExp; hint: string }>> = {
  anthropic: { form: /^sk-ant-api\d\d-(?!.*sk-ant-)[\w-]{8,200}$/, hint: "A key of Anthropic starts with sk-ant-api." },
  openai: { form: /^sk-(?!ant-|or-)(?!.*sk-(?:proj|svcacct)-)[\w-]{16,300}$/, hint: "A key of OpenAI starts with sk-." },
  openrouter: { form: /^sk-or-(?!.*sk-or-)[\w-]{16,200}$/, hint: "A key of OpenRouter starts with sk-or-." },
  custom: { form: /^[\x21-\x7e]{1,1000}$/, hint: "It is one word of plain characters; where the server wants no key, any word will do." },
};

export function checkFormat(pasted: string, provider: Provider = "anthropic"): FormatResult {
  const text = pasted.replace(PASTED_EDGES, "");
  // Never what a key of any provider is for: also not as a custom provider's, whose owner would then have it.
  if (/^sk-(ant-)?admin/.test(text)) return { ok: false, code: "key_admin" };
  if (/^sk-ant-(oat|ort|sid|cc)/.test(text)) return { ok: false, code: "key_oauth" };
  const { form, hint } = FORMS[provider];
  return form.test(text) ? { ok: true, apiKey: new Secret(text) } : { ok: false, code: "key_format", detail: hint };
}

export type KeyCheck = { outcome: "ok"; models: string[] } | { outcome: "invalid" | "no_credit" | "unreachable"; detail?: string };

/** Models kept for the screen's menu. */
const MAX_MODELS = 100;

/** Where keys are asked about; `custom` is the key's own address. */
export interface Upstreams {
  anthropic: string;
  openai: string;
  openrouter: string;
}

export async function checkKey(apiKey: Secret<string>, { provider, baseUrl }: KeyTarget, upstreams: Upstreams): Promise<KeyCheck> {
  switch (provider) {
    case "anthropic":
      return checkWithProvider(apiKey, upstreams.anthropic);
    case "openai":
      return checkOpenAi(apiKey, upstreams.openai);
    case "openrouter":
      return checkOpenRouter(apiKey, upstreams.openrouter);
    case "custom":
      return baseUrl === null ? { outcome: "unreachable" } : checkCustom(apiKey, baseUrl);
  }
}

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
