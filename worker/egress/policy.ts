/**
 * What may leave a sandbox (pure): a session's network setting and the hosts that people allowed beyond it, against one
 * request. What is denied for all comes first and no allowance opens it. Deny is the answer to everything that is not
 * named here, also to input that should never arrive.
 */
import type { Network } from "@ai-dev-platform/protocol/modes";
import type { EgressDecision, EgressPolicy, EgressRequest } from "../session/ports.ts";
import { matchesHost, normalizeHost } from "./host-name.ts";
import { isRegistryRead } from "./registries.ts";

/** `registry` also means: reading only, and without any credential of the caller's. */
export type AllowReason = "registry" | "listed" | "allowed" | "full";
export type DenyReason = "never" | "model_host" | "method" | "not_listed";

/**
 * Model calls pass the platform, which meters them. With another key these hosts would also be a place to upload to, so
 * "full" leaves them out; an owner who builds on the API can still name them.
 */
const MODEL_HOSTS = ["api.anthropic.com", "*.anthropic.com", "claude.ai", "*.claude.ai"];
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

const allow = (reason: AllowReason): EgressDecision => ({ decision: "allow", reason });
const deny = (reason: DenyReason): EgressDecision => ({ decision: "deny", reason });

export function decideEgress(network: Network, allowances: readonly string[], request: EgressRequest): EgressDecision {
  const { host, path = null } = request;
  // A caller that did not normalise compares something else than what is connected to.
  if (normalizeHost(host) !== host) return deny("never");
  if (!METHODS.has(request.method)) return deny("method");
  const matches = (pattern: string) => matchesHost(pattern, host);
  if (allowances.some(matches)) return allow("allowed");
  if (network.level === "none") return deny("not_listed");
  if ((network.level === "custom" || network.level === "full") && network.hosts.some(matches)) return allow("listed");
  if (isRegistryRead(host, request.method, path)) return allow("registry");
  if (network.level !== "full") return deny("not_listed");
  return MODEL_HOSTS.some(matches) ? deny("model_host") : allow("full");
}

/** Whether a person may allow this host at all: an allowance for what is never reached would be a promise not kept. */
export const canBeAllowed = (host: string): boolean => normalizeHost(host) === host;

export const egressPolicy: EgressPolicy = { decide: decideEgress };
