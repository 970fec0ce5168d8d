/** /v1 about itself, without a token: whether it works, what there is. SPEC AD1–AD3. */
import { Hono } from "hono";
import { readConfig } from "../env.ts";
import { currentHealth, isUsable } from "../health/checks.ts";
import type { AppContext, AppEnv } from "../middleware/auth.ts";

export const metaRoutes = new Hono<AppEnv>();

/** The document changes with a deployment alone. */
const KEPT_S = 300;

metaRoutes.get("/v1/health", async (c) => {
  const health = await currentHealth(c.env, Date.now());
  return c.json(health, isUsable(health) ? 200 : 503, { "cache-control": "no-store" });
});

// What follows is loaded when it is asked for: no other request pays for building it.
metaRoutes.get("/v1/openapi.json", async (c) => {
  const { openApiText } = await import("../openapi/document.ts");
  return c.body(openApiText(originOf(c)), 200, {
    "content-type": "application/json; charset=utf-8",
    "cache-control": `public, max-age=${KEPT_S}`,
  });
});

metaRoutes.get("/v1/docs", async (c) => {
  const { docsPage } = await import("../openapi/page.ts");
  return c.html(docsPage(originOf(c)));
});

const originOf = (c: AppContext): string => readConfig(c.env).publicOrigin ?? new URL(c.req.url).origin;
