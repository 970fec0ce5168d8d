/**
 * The address of a custom provider (SPEC MP2): judged when its key is stored and again each time it is used, for the
 * operator's setting may have changed. The rules are those of everything that the platform calls for a user, and a
 * deployment is never its own provider: its projects could send a request round for ever. Pure.
 */
import { publicAddress } from "../egress/public-address.ts";

export interface BaseUrlRules {
  /** `npm start` on one's own computer: model servers there are reached by http. */
  allowLoopback: boolean;
  ownHosts: readonly string[];
}

/** One written form, without a slash at its end; null when nothing may be sent there. */
export function judgeBaseUrl(text: string, { allowLoopback, ownHosts }: BaseUrlRules): string | null {
  const address = publicAddress(text, { allowLoopback });
  const url = address === null ? null : URL.parse(address);
  if (url === null || url.search !== "" || text.includes("?") || text.includes("#")) return null;
  if (ownHosts.some((host) => host === url.host || host === url.hostname.replace(/\.$/, ""))) return null;
  return url.href.replace(/\/+$/, "");
}

export function isLoopback(baseUrl: string): boolean {
  const hostname = URL.parse(baseUrl)?.hostname;
  return hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]";
}

/** Names under which this deployment is reached. */
export const ownHosts = (publicOrigin: string | null, requestUrl: string | null): string[] =>
  [publicOrigin, requestUrl].flatMap((address) => (address === null ? [] : [new URL(address).host]));
