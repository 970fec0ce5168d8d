/** Where a key may be sent: the operator's choice of providers, and of a custom provider the address that was given with it. */
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Config } from "../env.ts";
import { judgeBaseUrl, ownHosts } from "./base-url.ts";
import type { Upstreams } from "./validate.ts";
import type { KeyTarget } from "./vault.ts";

export type TargetVerdict =
  | ({ ok: true } & KeyTarget)
  | { ok: false; code: Extract<ErrorCode, "feature_off" | "bad_request" | "provider_address_refused">; detail: string };

/** `requestUrl`: of the request that brought the address, to know this deployment by; null where there is none. */
export function judgeTarget(
  { features, localPaths, publicOrigin }: Config,
  provider: Provider,
  wanted: string | null,
  requestUrl: string | null,
): TargetVerdict {
  if (!features.providers.includes(provider)) return { ok: false, code: "feature_off", detail: `provider ${provider} (PROVIDERS)` };
  if (provider !== "custom") {
    if (wanted === null) return { ok: true, provider, baseUrl: null };
    return { ok: false, code: "bad_request", detail: "baseUrl: of a custom provider alone" };
  }
  if (wanted === null) return { ok: false, code: "bad_request", detail: "baseUrl: the address before /chat/completions is needed" };
  const baseUrl = judgeBaseUrl(wanted, { allowLoopback: localPaths, ownHosts: ownHosts(publicOrigin, requestUrl) });
  if (baseUrl !== null) return { ok: true, provider, baseUrl };
  return { ok: false, code: "provider_address_refused", detail: localPaths ? "Here, http to this computer is also taken." : "baseUrl" };
}

export const upstreams = ({ anthropicUpstream, openaiUpstream, openrouterUpstream }: Config): Upstreams => ({
  anthropic: anthropicUpstream,
  openai: openaiUpstream,
  openrouter: openrouterUpstream,
});

/** Checks are counted for each provider: who sets up several in one sitting is not somebody with a list of stolen keys. */
export const rateSubject = (userId: string, provider: Provider): string => (provider === "anthropic" ? userId : `${userId} ${provider}`);
