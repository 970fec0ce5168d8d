/** Every request gets an id of ours, whatever the caller sent: it is in the answer, in an error's body and in the log. */
import { createMiddleware } from "hono/factory";
import { newId } from "../ids.ts";
import type { AppEnv } from "./auth.ts";

export const requestId = createMiddleware<AppEnv>(async (c, next) => {
  c.set("requestId", newId("request"));
  await next();
});
