/** POST /v1/chat/completions, GET /v1/models, GET /v1/models/:id: OpenAI's API over the caller's own models and agent (SPEC OA). */
import { Hono } from "hono";
import { requireScopes, requireToken } from "../api/authenticate.ts";
import type { ApiCaller } from "../api/caller.ts";
import { idempotent } from "../api/idempotency.ts";
import { AppError } from "../errors.ts";
import { routeModel } from "../llm/providers.ts";
import type { AppContext, AppEnv } from "../middleware/auth.ts";
import { answerByAgent } from "./agent.ts";
import { answerDirectly } from "./direct.ts";
import { listModels } from "./models.ts";
import { passThrough } from "./pass-through.ts";
import { chatRequestOf, readChatBody, type ChatBody } from "./request-body.ts";

export const openaiRoutes = new Hono<AppEnv>();

openaiRoutes.post("/v1/chat/completions", requireToken(), (c) => {
  const caller = c.get("caller");
  return idempotent(c, caller, () => answer(c, caller));
});

async function answer(c: AppContext, caller: ApiCaller): Promise<Response> {
  const body = await readChatBody(c.req.raw);
  const route = await routeModel(c.env, caller.userId, body.model, projectOf(c, body));
  switch (route.kind) {
    case "refused":
      throw new AppError(route.code, { param: "model", detail: route.detail });
    case "agent":
      return answerByAgent(c, caller, chatRequestOf(body), route.project);
    case "anthropic":
      requireScopes(caller, "chat");
      return answerDirectly(c, caller, chatRequestOf(body), route.model);
    case "openai-dialect":
      requireScopes(caller, "chat");
      return passThrough(c, caller, route, body);
  }
}

/** Of `metadata.project_id` or `x-project-id`. */
function projectOf(c: AppContext, { fields: { metadata } }: ChatBody): string | null {
  const named = typeof metadata === "object" && metadata !== null && "project_id" in metadata ? metadata.project_id : null;
  return typeof named === "string" ? named : (c.req.header("x-project-id") ?? null);
}

openaiRoutes.get("/v1/models", requireToken(), async (c) => c.json({ object: "list", data: await listModels(c.env, c.get("caller")) }));

// A model's name may hold slashes.
openaiRoutes.get("/v1/models/:id{.+}", requireToken(), async (c) => {
  const id = c.req.param("id");
  const model = (await listModels(c.env, c.get("caller"))).find((one) => one.id === id);
  if (model === undefined) throw new AppError("model_unknown", { param: "model" });
  return c.json(model);
});
