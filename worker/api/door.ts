/**
 * What every request under /v1 passes: no token in its address, and answers that tell the caller's rate. No cookie counts
 * here and no other site's page may read an answer: there are no CORS headers.
 */
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../middleware/auth.ts";
import { refuseTokenInAddress } from "./authenticate.ts";
import { rateHeaders } from "./rate-headers.ts";

export const apiDoor = createMiddleware<AppEnv>(async (c, next) => {
  refuseTokenInAddress(c.req.raw);
  await next();
  const rate = c.get("rate");
  // A socket's answer belongs to the runtime.
  if (rate === undefined || c.res.status === 101) return;
  for (const [name, value] of Object.entries(rateHeaders(rate))) c.header(name, value);
});
