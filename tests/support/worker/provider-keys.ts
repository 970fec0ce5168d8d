/** Keys of other providers in tests: made in their forms, stored through the API. */
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import type { AppClient } from "./app-client.ts";

export const CUSTOM_URL = "https://llm.example.com/v1";

const PREFIXES: Record<Provider, string> = { anthropic: "sk-ant-api03-", openai: "sk-proj-", openrouter: "sk-or-v1-", custom: "any-" };

/** The marker decides how the stand-in answers: see tests/support/node/dialect-upstream.ts. */
export const keyOf = (provider: Provider, marker = "working"): string =>
  `${PREFIXES[provider]}${marker}-${crypto.randomUUID().replaceAll("-", "")}`;

export const bodyOf = (provider: Provider, apiKey: string, baseUrl = CUSTOM_URL) =>
  provider === "custom" ? { provider, apiKey, baseUrl } : { provider, apiKey };

export const storeOf = (client: AppClient, provider: Provider, apiKey = keyOf(provider), baseUrl = CUSTOM_URL): Promise<KeyBody> =>
  client.json<KeyBody>("POST", "/api/keys", bodyOf(provider, apiKey, baseUrl));
