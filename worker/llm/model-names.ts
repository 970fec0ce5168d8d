/** The provider's names of models, and the short names that people and the agent use for them. Pure. */
export const DEFAULT_MODEL = "claude-opus-5-5";

/** Short names, as the agent knows them. */
export const SHORT_NAMES: Readonly<Record<string, string>> = {
  default: DEFAULT_MODEL,
  opus: "claude-opus-5-5",
  sonnet: "claude-sonnet-5",
  haiku: "claude-haiku-4-5",
};

/** The provider's name of a session's model; what only an agent knows (a larger context, its own short names) is dropped. */
export function modelNameOf(model: string): string {
  const name = model.replace(/\[[^\]]*\]$/, "");
  return SHORT_NAMES[name] ?? (/[\d/]/.test(name) ? name : DEFAULT_MODEL);
}
