/**
 * What happens to each request that leaves a sandbox. Three ways: to the model, to the platform, and everywhere else, which is
 * the network policy's (worker/egress). Each is given who the container is by the platform; nothing in a request says so.
 * A container without an identity reaches nothing.
 */
import { waitUntil } from "cloudflare:workers";
import { handleSandboxEgress } from "../../egress/handlers.ts";
import { handleModelRequest } from "../../llm/proxy.ts";
import { sandboxCaller } from "../../llm/caller.ts";
import { vouchedRunnerRoutes } from "../../routes/runner.ts";
import { identityOf } from "./identity.ts";

interface OutboundContext {
  params?: unknown;
}
export type Outbound = (request: Request, env: Env, context: OutboundContext) => Promise<Response> | Response;

const DENIED = "The network of this sandbox is closed.";
const denied = (): Response => new Response(DENIED, { status: 403, headers: { "content-type": "text/plain; charset=utf-8" } });

/** Where no order has named the container, and for whatever no other way takes. */
export const denyAll: Outbound = () => denied();

/** `http://llm.internal/v1/messages`: the same judge, hold and settlement as for every other way in. */
const model: Outbound = (request, env, { params }) => {
  const identity = identityOf(params);
  if (identity === null) return denied();
  const url = new URL(request.url);
  const inner = new Request(new URL(`/llm${url.pathname}${url.search}`, "http://platform.invalid"), request);
  return handleModelRequest(env, inner, waitUntil, sandboxCaller(env, identity, request.headers));
};

/** `http://platform.internal/runner/sessions/<own>/…`: the runner's link and its snapshots, and nothing else of the platform. */
const platform: Outbound = async (request, env, { params }) => {
  const identity = identityOf(params);
  return identity === null ? denied() : vouchedRunnerRoutes(identity).fetch(request, env);
};

/** Everywhere else. */
const egress: Outbound = (request, env, { params }) => {
  const identity = identityOf(params);
  return identity === null ? denied() : handleSandboxEgress(request, env, identity, waitUntil);
};

export const OUTBOUND: Record<"model" | "platform" | "egress", Outbound> = { model, platform, egress };
