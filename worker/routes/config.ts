import type { ConfigBody } from "@ai-dev-platform/protocol/http";
import { Hono } from "hono";
import { isSignUpOpen } from "../auth/sign-up.ts";
import { PLATFORM_VERSION } from "../config.ts";
import { readConfig } from "../env.ts";
import type { AppEnv } from "../middleware/auth.ts";

export const configRoutes = new Hono<AppEnv>();

configRoutes.get("/api/config", async (c) => {
  const { demoModelUrl, localPaths, sandbox, features } = readConfig(c.env);
  const body: ConfigBody = {
    version: PLATFORM_VERSION,
    demoModel: demoModelUrl !== null,
    signUp: await isSignUpOpen(c.env),
    localPaths,
    sandbox,
    features,
  };
  return c.json(body);
});
