/**
 * What a name in a request means (SPEC MP4): whose model, the project's own choice, or the coding agent. The only place that
 * reads names; everything after it sees a provider and that provider's own name for the model. Pure.
 */
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import { projectIdSchema } from "@ai-dev-platform/protocol/ids";
import { SHORT_NAMES } from "./model-names.ts";

export type NamedModel =
  | { kind: "model"; provider: Provider; model: string }
  /** The project's own choice; null: of the project that the request names. */
  | { kind: "project_choice"; projectId: string | null }
  /** By id or by name; null: whichever the request names, or the one for programs. */
  | { kind: "agent"; project: string | null };

const MODEL_NAME = /^[\w.:@/[\]+~-]{1,200}$/;
const CLAUDE = /^claude[\w.:@[\]-]*$/;
const OPENAI = /^(gpt-|chatgpt-|o[134](-|$)|ft:(gpt-|o[134]-))/;
const MAX_PROJECT_NAME_CHARS = 200;

/** Null: nothing is called that. */
export function readModelName(name: string): NamedModel | null {
  if (name === "agent") return { kind: "agent", project: null };
  if (name.startsWith("agent:")) return readAgent(name.slice("agent:".length));
  if (name === "default") return { kind: "project_choice", projectId: null };
  if (name.startsWith("project:")) {
    const projectId = name.slice("project:".length);
    return projectIdSchema.safeParse(projectId).success ? { kind: "project_choice", projectId } : null;
  }
  if (!MODEL_NAME.test(name)) return null;
  if (Object.hasOwn(SHORT_NAMES, name) || CLAUDE.test(name)) return anthropic(name);
  if (OPENAI.test(name)) return { kind: "model", provider: "openai", model: name };
  return readPrefixed(name);
}

function readAgent(project: string): NamedModel | null {
  return project.trim() === "" || project.length > MAX_PROJECT_NAME_CHARS ? null : { kind: "agent", project };
}

const anthropic = (name: string): NamedModel => ({
  kind: "model",
  provider: "anthropic",
  model: Object.hasOwn(SHORT_NAMES, name) ? (SHORT_NAMES[name] ?? name) : name,
});

function readPrefixed(name: string): NamedModel | null {
  const cut = name.indexOf("/");
  const [prefix, model] = [name.slice(0, cut), name.slice(cut + 1)];
  if (cut === -1 || model === "") return null;
  switch (prefix) {
    case "anthropic":
      return isModelOf("anthropic", model) ? anthropic(model) : null;
    case "openai":
    case "custom":
      return { kind: "model", provider: prefix, model };
    case "openrouter":
      // Its own models, such as openrouter/auto, have its name for a vendor.
      return { kind: "model", provider: "openrouter", model: model.includes("/") ? model : name };
    default:
      return null;
  }
}

/** Whether a project may choose it: the provider's own name, without our prefix. */
export const isModelOf = (provider: Provider, model: string): boolean =>
  provider === "anthropic" ? Object.hasOwn(SHORT_NAMES, model) || CLAUDE.test(model) : MODEL_NAME.test(model);

/** Of a list of OpenAI's models those that answer in a chat. */
export const isOpenAiChatModel = (name: string): boolean =>
  MODEL_NAME.test(name) && OPENAI.test(name) && !/(image|realtime|transcribe|tts|instruct)/.test(name);
export const isListable = (name: string): boolean => MODEL_NAME.test(name);
