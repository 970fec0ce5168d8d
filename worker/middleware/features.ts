/** What the operator switched off answers `501 feature_off`, before anything of the request is read. SPEC MP8. */
import type { Features } from "@ai-dev-platform/protocol/api/providers";
import { createMiddleware } from "hono/factory";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import type { AppEnv } from "./auth.ts";

export type Switch = Exclude<keyof Features, "providers">;

const NAMES: Readonly<Record<Switch, string>> = {
  agent: "The coding agent and its sessions (AGENT).",
  execute: "Running code (EXECUTE).",
  api: "The API for programs (API).",
};

export function assertFeature(env: Env, name: Switch): void {
  if (!readConfig(env).features[name]) throw new AppError("feature_off", { detail: NAMES[name] });
}

export const requireFeature = (name: Switch) =>
  createMiddleware<AppEnv>(async (c, next) => {
    assertFeature(c.env, name);
    await next();
  });
