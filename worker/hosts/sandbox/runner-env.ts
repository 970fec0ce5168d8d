/**
 * What a runner in a sandbox is told. The two addresses exist only inside the sandbox, where the platform intercepts them and
 * vouches for the container. The token tells the runner from the other processes in there: root alone can read it, and it opens
 * nothing without the container's identity. Pure.
 *
 * `public` is for places without interception: the runner dials the deployment's address with both tokens of its incarnation.
 */
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";

export const PLATFORM_HOST = "platform.internal";
export const MODEL_HOST = "llm.internal";

export type Dialling = { kind: "intercepted" } | { kind: "public"; origin: string };

export function runnerEnv(order: RunnerOrder, dialling: Dialling): Record<string, string> {
  const named = {
    AIDEV_SESSION: order.sessionId,
    AIDEV_INCARNATION: String(order.incarnation),
    AIDEV_SOURCE: JSON.stringify(order.source),
    AIDEV_LINK_TOKEN: order.linkToken,
  };
  if (dialling.kind === "intercepted")
    return { ...named, AIDEV_SERVER: `http://${PLATFORM_HOST}`, AIDEV_MODEL_URL: `http://${MODEL_HOST}` };
  return {
    ...named,
    AIDEV_SERVER: dialling.origin,
    AIDEV_MODEL_URL: `${dialling.origin}/llm`,
    AIDEV_MODEL_TOKEN: order.modelToken,
  };
}
