/** Providers of models whose keys are kept in the vault. `custom`: any that speaks OpenAI's dialect, by its address. */
import * as z from "zod";

export const PROVIDERS = ["anthropic", "openai", "openrouter", "custom"] as const;
export type Provider = (typeof PROVIDERS)[number];
export const providerSchema = z.enum(PROVIDERS);

/** POST /api/keys takes these beside `apiKey`: absent, the key is Anthropic's. */
export const providerKeyShape = {
  provider: providerSchema.default("anthropic"),
  /** Of `custom` alone: the address before `/chat/completions`, https, of a public host. */
  baseUrl: z.url().max(500).optional(),
};

/** Which provider and model a project's direct answers come from; null: Anthropic's, as the request names them. */
export interface ProjectModel {
  provider: Provider;
  model: string;
}
export const projectModelSchema = z.strictObject({ provider: providerSchema, model: z.string().min(1).max(200) }).nullable();

/** What the operator offers (GET /api/config `features`, GET /v1/health). Off: `501 feature_off`. */
export interface Features {
  /** Coding sessions: the agent, /v1/code, models `agent…`. */
  agent: boolean;
  /** POST /v1/code/execute. */
  execute: boolean;
  /** /v1 as a whole. */
  api: boolean;
  providers: Provider[];
}
