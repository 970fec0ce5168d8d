/**
 * Who answers and who pays for a call outside of a session (SPEC MP4–MP7): a name becomes a provider and its model, or the
 * coding agent; a provider becomes an address and headers with the user's own key, lent for this one request.
 * Owns the decision and its lookups; knows nothing of bodies, budgets or answers. No fallback from one provider to another.
 */
import type { Features, Provider } from "@ai-dev-platform/protocol/api/providers";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { projectIdSchema } from "@ai-dev-platform/protocol/ids";
import { findProject, findProjectModel, findProjectsByName } from "../db/projects.ts";
import { readRecentSettings } from "../db/settings.ts";
import { readConfig, type Config } from "../env.ts";
import { AppError } from "../errors.ts";
import { isLoopback, judgeBaseUrl, ownHosts } from "../keys/base-url.ts";
import { Secret } from "../keys/secret.ts";
import { lendKeyOf } from "../keys/vault.ts";
import { DEFAULT_MODEL } from "./model-names.ts";
import { readModelName, type NamedModel } from "./read-model-name.ts";

export const features = (config: Config): Features => config.features;

type Refused = { kind: "refused"; code: ErrorCode; detail: string };
export type ModelRoute =
  | { kind: "anthropic"; provider: "anthropic"; model: string }
  | { kind: "openai-dialect"; provider: Exclude<Provider, "anthropic">; model: string }
  /** Null: the request names none. */
  | { kind: "agent"; project: ProjectBody | null }
  | Refused;

/** `projectId`: of the request's `metadata.project_id` or `x-project-id`, as it came. */
export async function routeModel(env: Env, userId: string, name: string, projectId: string | null): Promise<ModelRoute> {
  const named = readModelName(name);
  if (named === null) return refuse("model_unknown", `model ${shown(name)}`);
  const config = readConfig(env);
  if (named.kind === "agent") return routeAgent(env, config, userId, named.project, projectId);
  if (named.kind === "model") return toProvider(config, named.provider, named.model);
  return routeProjectChoice(env, config, userId, named, projectId);
}

/** A name that a caller made up may be anything: what is repeated of it is short and plain. */
const shown = (name: string): string => (/^[\w.:@/[\]+~-]{1,100}$/.test(name) ? name : "with another form of name");
const refuse = (code: ErrorCode, detail: string): Refused => ({ kind: "refused", code, detail });

export function toProvider(config: Config, provider: Provider, model: string): ModelRoute {
  if (!config.features.providers.includes(provider)) return refuse("feature_off", `provider ${provider} (PROVIDERS)`);
  return provider === "anthropic" ? { kind: "anthropic", provider, model } : { kind: "openai-dialect", provider, model };
}

async function routeProjectChoice(
  env: Env,
  config: Config,
  userId: string,
  named: Extract<NamedModel, { kind: "project_choice" }>,
  requested: string | null,
): Promise<ModelRoute> {
  const projectId = named.projectId ?? requested;
  if (projectId === null) return toProvider(config, "anthropic", DEFAULT_MODEL);
  const choice = projectIdSchema.safeParse(projectId).success ? await findProjectModel(env.DB, projectId, userId) : undefined;
  if (choice === undefined) return refuse("not_found", "There is no such project.");
  if (choice === null) return toProvider(config, "anthropic", DEFAULT_MODEL);
  if (choice.provider !== "anthropic") return toProvider(config, choice.provider, choice.model);
  const resolved = readModelName(choice.model);
  const model = resolved?.kind === "model" ? resolved.model : DEFAULT_MODEL;
  return toProvider(config, "anthropic", model);
}

async function routeAgent(env: Env, config: Config, userId: string, named: string | null, requested: string | null): Promise<ModelRoute> {
  if (!config.features.agent) return refuse("feature_off", "The coding agent and its sessions (AGENT).");
  const wanted = named ?? requested;
  if (wanted === null) return { kind: "agent", project: null };
  if (projectIdSchema.safeParse(wanted).success) {
    const project = await findProject(env.DB, wanted, userId);
    return project === null ? refuse("not_found", "There is no such project.") : { kind: "agent", project };
  }
  // By name only in the model: an id in a header is an id.
  const [project, another] = named === null ? [] : await findProjectsByName(env.DB, named, userId);
  if (project === undefined) return refuse("not_found", "There is no such project.");
  if (another !== undefined) return refuse("bad_request", "Several projects have that name: give its id.");
  return { kind: "agent", project };
}

export type Payer =
  | {
      ok: true;
      provider: Provider;
      /** Without a slash at its end. OpenAI's dialect: the address before `/chat/completions`; Anthropic: before `/v1/messages`. */
      upstream: string;
      /** Null: nothing of the vault is used (the demo model). */
      keyId: string | null;
      /** What it uses costs nobody anything: the demo model, a model server on the user's own computer. */
      isFree: boolean;
      /** From nothing: the key, and that no encoding is wanted. */
      headers(): Headers;
      /** A provider's words without the key, should it repeat it. */
      conceal(text: string): string;
    }
  | { ok: false; code: ErrorCode; detail?: string };

type Defer = (work: Promise<unknown>) => void;

export async function findPayer(env: Env, userId: string, provider: Provider, defer: Defer): Promise<Payer> {
  const config = readConfig(env);
  if (!config.features.providers.includes(provider)) return { ok: false, code: "feature_off", detail: `provider ${provider} (PROVIDERS)` };
  try {
    if (provider === "anthropic" && (await wantsDemo(env, config, userId))) return demoPayer(config);
    const lent = await lendKeyOf(env, userId, provider, defer);
    if (!lent.ok) return lent.code === "key_missing" ? keyMissing(provider) : lent;
    const upstream = upstreamOf(config, provider, lent.baseUrl);
    if (upstream === null) return { ok: false, code: "provider_address_refused" };
    const { keyId, secret } = lent;
    const isFree = provider === "custom" && isLoopback(upstream);
    return { ok: true, provider, upstream, keyId, isFree, ...usesOf(provider, secret) };
  } catch (error) {
    if (error instanceof AppError) return { ok: false, code: error.code };
    throw error;
  }
}

const keyMissing = (provider: Provider): Payer =>
  provider === "anthropic"
    ? { ok: false, code: "key_missing" }
    : { ok: false, code: "provider_key_missing", detail: `provider ${provider}` };

function upstreamOf(config: Config, provider: Provider, baseUrl: string | null): string | null {
  switch (provider) {
    case "anthropic":
      return config.anthropicUpstream;
    case "openai":
      return config.openaiUpstream;
    case "openrouter":
      return config.openrouterUpstream;
    case "custom":
      return baseUrl === null
        ? null
        : judgeBaseUrl(baseUrl, { allowLoopback: config.localPaths, ownHosts: ownHosts(config.publicOrigin, null) });
  }
}

/** Only where its user says so: a program must not take a script's words for a model's because a key is missing. */
const wantsDemo = async (env: Env, config: Config, userId: string): Promise<boolean> =>
  config.demoModelUrl !== null && (await readRecentSettings(env.DB, userId)).useDemoModel;

const demoPayer = ({ demoModelUrl }: Config): Payer =>
  demoModelUrl === null
    ? { ok: false, code: "demo_off" }
    : { ok: true, provider: "anthropic", upstream: demoModelUrl, keyId: null, isFree: true, ...usesOf("anthropic", new Secret("demo")) };

/** A word as short as this is no secret, and stands in other words. */
const MIN_CONCEALED_CHARS = 6;

const usesOf = (provider: Provider, key: Secret<string>) => ({
  headers: () => headersOf(provider, key.reveal()),
  conceal: (text: string) => (key.reveal().length < MIN_CONCEALED_CHARS ? text : text.replaceAll(key.reveal(), "[redacted key]")),
});

function headersOf(provider: Provider, key: string): Headers {
  const headers = new Headers({ "content-type": "application/json", "accept-encoding": "identity" });
  if (provider === "anthropic") {
    headers.set("x-api-key", key);
    headers.set("anthropic-version", "2023-06-01");
  } else headers.set("authorization", `Bearer ${key}`);
  return headers;
}
