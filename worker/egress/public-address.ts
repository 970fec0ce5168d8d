/**
 * Addresses that a user gives the platform to call by itself (a webhook, a provider of models): https, a public host by
 * name, its usual port, no login in it; the rules of egress for a sandbox. A local run, where the user is the operator, also
 * takes http to this computer. Pure. Who calls such an address follows no redirect: it could lead anywhere.
 */
import { parseTarget } from "./host-name.ts";

export interface AddressRules {
  /** Only where the whole platform runs on the user's own computer. */
  allowLoopback: boolean;
}

const LOOPBACK_HOSTS = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** One written form of the address, without its fragment; null when the platform may not call it. */
export function publicAddress(text: string, rules: AddressRules): string | null {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return null;
  url.hash = "";
  if (rules.allowLoopback && isWeb(url.protocol) && LOOPBACK_HOSTS.has(url.hostname)) return url.href;
  const parsed = parseTarget(url.href);
  return parsed.ok && parsed.target.scheme === "https" ? url.href : null;
}

const isWeb = (protocol: string): boolean => protocol === "https:" || protocol === "http:";
