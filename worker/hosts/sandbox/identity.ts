/**
 * Who a sandbox is, as the platform vouches for it. Set by the sandbox's own object before its container starts, carried in
 * the props of the outbound proxy, and out of reach of everything inside the container (SPEC RN1, MO1).
 */
import * as z from "zod";
import { incarnationSchema, sessionIdSchema } from "@ai-dev-platform/protocol/ids";

export const sandboxIdentitySchema = z.object({ sessionId: sessionIdSchema, incarnation: incarnationSchema });
export type SandboxIdentity = z.infer<typeof sandboxIdentitySchema>;

/** Null: the request comes from a container that was started without one, and goes nowhere. */
export function identityOf(params: unknown): SandboxIdentity | null {
  const parsed = sandboxIdentitySchema.safeParse(params);
  return parsed.success ? parsed.data : null;
}
