/** What GET /v1/models lists (SPEC OA7): the models of the caller's keys as they were when checked, and the coding agent. */
import type { ApiCaller } from "../api/caller.ts";
import { listKeys } from "../db/keys.ts";
import { listProjects } from "../db/projects.ts";
import { readSettings } from "../db/settings.ts";
import { readConfig } from "../env.ts";
import { features } from "../llm/providers.ts";
import { SHORT_NAMES } from "../llm/model-names.ts";

export interface ModelBody {
  id: string;
  object: "model";
  /** Epoch seconds: when the key was checked, or the project made. */
  created: number;
  owned_by: string;
  /** Of a project's agent. */
  name?: string;
}

const model = (id: string, createdAt: number, ownedBy: string): ModelBody => ({
  id,
  object: "model",
  created: Math.floor(createdAt / 1_000),
  owned_by: ownedBy,
});

export async function listModels(env: Env, caller: ApiCaller): Promise<ModelBody[]> {
  const [models, agents] = await Promise.all([
    caller.scopes.includes("chat") ? directModels(env, caller.userId) : [],
    caller.scopes.includes("sessions:write") ? agentModels(env, caller.userId) : [],
  ]);
  return [...models, ...agents];
}

async function directModels(env: Env, userId: string): Promise<ModelBody[]> {
  const config = readConfig(env);
  const { providers } = features(config);
  const [keys, settings] = await Promise.all([listKeys(env.DB, userId), readSettings(env.DB, userId)]);
  const isDemo = settings.useDemoModel && config.demoModelUrl !== null && providers.includes("anthropic");
  const usable = keys.filter(({ provider, isActive }) => isActive && providers.includes(provider) && !(isDemo && provider === "anthropic"));
  const stored = usable.flatMap(({ provider, models, checkedAt }) =>
    models.map((id) => model(provider === "anthropic" ? id : `${provider}/${id}`, checkedAt, provider)),
  );
  // The demo model answers to the names of those that it stands for.
  const demo = isDemo ? [...new Set(Object.values(SHORT_NAMES))].map((id) => model(id, 0, "demo")) : [];
  return [...demo, ...stored];
}

async function agentModels(env: Env, userId: string): Promise<ModelBody[]> {
  if (!features(readConfig(env)).agent) return [];
  const projects = await listProjects(env.DB, userId);
  const own = projects.map(({ projectId, name, createdAt }) => ({ ...model(`agent:${projectId}`, createdAt, "agent"), name }));
  return [model("agent", 0, "agent"), ...own];
}
