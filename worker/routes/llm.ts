/** /llm: the base address of the agent's model calls. Everything under it is the proxy's to judge. */
import { Hono } from "hono";
import { handleModelRequest } from "../llm/proxy.ts";
import type { AppContext, AppEnv } from "../middleware/auth.ts";

export const llmRoutes = new Hono<AppEnv>();

const handle = (c: AppContext) => handleModelRequest(c.env, c.req.raw, (work) => c.executionCtx.waitUntil(work));

llmRoutes.all("/llm", handle);
llmRoutes.all("/llm/*", handle);
