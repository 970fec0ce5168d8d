/** Every string about providers of models, beside Anthropic's own in the settings. */
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import type { KeyBody } from "@ai-dev-platform/protocol/http";

const number = new Intl.NumberFormat();
/** A provider of one's own goes by its host. */
const hostOf = (baseUrl: string | null): string | null => (baseUrl === null ? null : (URL.parse(baseUrl)?.host ?? null));

export const t = {
  names: { anthropic: "Anthropic", openai: "OpenAI", openrouter: "OpenRouter", custom: "Another provider" } satisfies Record<
    Provider,
    string
  >,
  /** In a sentence. `stored`: its key, where there is one. */
  nameOf: (provider: Provider, stored: Pick<KeyBody, "baseUrl"> | null): string =>
    provider === "custom" ? (hostOf(stored?.baseUrl ?? null) ?? "another provider") : t.names[provider],
  title: "Other providers",
  about:
    "For your programs’ chats through the API, and for projects that choose one. Coding sessions are always answered by Anthropic’s models.",
  none: {
    anthropic: "",
    openai: "GPT models, by names like gpt-5.",
    openrouter: "Models of many vendors, by names like openrouter/vendor/model.",
    custom: "Anything that speaks OpenAI’s dialect, by its address and names like custom/model.",
  } satisfies Record<Provider, string>,
  add: "Add a key",
  addLabel: (provider: string) => `Add a key for ${provider}`,
  replace: "Replace",
  replaceLabel: (provider: string) => `Replace the key for ${provider}`,
  test: "Test",
  testing: "Testing…",
  testLabel: (provider: string) => `Test the key for ${provider}`,
  testWorks: (provider: string) => `The key for ${provider} works.`,
  remove: "Remove…",
  removeLabel: (provider: string) => `Remove the key for ${provider}…`,
  removeTitle: (provider: string) => `Remove the key for ${provider}?`,
  removeText: "It is destroyed here at once, and chats that need it are refused. It stays valid at the provider until you delete it there.",
  removeConfirm: "Remove the key",
  removed: (provider: string) => `Removed the key for ${provider}`,
  keep: "Keep it",
  masked: (last4: string) => `…${last4}`,
  status: (status: KeyBody["status"]) => ({ working: "Working", refused: "Refused by the provider", no_credit: "Out of credit" })[status],
  checked: "checked",
  used: "last used",
  unused: "never used",
  models: (count: number) => `${number.format(count)} ${count === 1 ? "model" : "models"}`,
  dialog: {
    title: (provider: string) => `Key for ${provider}`,
    about: "It is checked with the provider before it is stored, and never shown again.",
    replaceAbout: "The stored key stays in use until the new one has been checked.",
    key: "API key",
    address: "Address",
    addressHint: "What stands before /chat/completions, such as https://llm.example.com/v1. It has to be https, of a public host.",
    console: { openai: "Make one at OpenAI", openrouter: "Make one at OpenRouter" },
    submit: "Check and save",
    submitting: "Checking…",
    cancel: "Cancel",
    works: (provider: string) => `The key for ${provider} works and is saved.`,
    problems: { key: "Paste a key first.", address: "Enter a full address, starting with https://." },
  },
  project: {
    title: "For programs",
    about: "Programs reach this project by these names, in place of a model’s.",
    direct: "A model’s answer alone",
    agent: "The coding agent, in this project’s files",
    provider: "Direct answers come from",
    anyAnthropic: "Anthropic, its current best model",
    model: "Model",
    modelHint: "The provider’s own name for it.",
    noKey: (provider: string) => `No key for ${provider} is stored yet. Until there is one, such requests are refused.`,
    addKey: "Add it in Settings, API key",
    save: "Save",
    saved: "Saved",
    problem: "Enter the name of a model.",
  },
} as const;
