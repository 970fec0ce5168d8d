/** Whose is it: the one answer to a malformed, unknown or foreign id is not_found. */
import type * as z from "zod";
import { sessionIdSchema } from "@ai-dev-platform/protocol/ids";
import type { SessionBody } from "@ai-dev-platform/protocol/http";
import { findSession } from "../db/sessions.ts";
import { AppError } from "../errors.ts";
import type { AppContext } from "../middleware/auth.ts";

/** The id in the path, if it has the form of one: everything behind it is trusted to be well-formed. */
export function pathId(c: AppContext, schema: z.ZodType<string>, name = "id"): string {
  const parsed = schema.safeParse(c.req.param(name));
  if (!parsed.success) throw new AppError("not_found");
  return parsed.data;
}

/** The session in the path, which must be the signed-in user's own. */
export async function ownSession(c: AppContext): Promise<SessionBody> {
  const session = await findSession(c.env.DB, pathId(c, sessionIdSchema), c.get("user").userId);
  if (session === null) throw new AppError("not_found");
  return session;
}
