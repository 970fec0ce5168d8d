/** First calls to the API, ready to run, and how a webhook is verified. Pure. */
import type { ApiScope } from "@ai-dev-platform/protocol/api/access";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { t } from "./messages.ts";

export const LANGUAGES = ["curl", "python", "typescript"] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Call {
  baseUrl: string;
  token: string;
  model: string;
  prompt: string;
}

/** Anthropic's current best, as the API calls it. */
const ANY_MODEL = "default";

/** A model that one of these keys can pay for. */
function modelOf(keys: readonly KeyBody[]): string {
  const stored = keys.filter(({ isActive }) => isActive);
  const other = stored.find(({ models }) => models.length > 0);
  if (other === undefined || stored.some(({ provider }) => provider === "anthropic")) return ANY_MODEL;
  return `${other.provider}/${other.models[0] ?? ""}`;
}

/** What a token with these scopes is best tried with, with the keys that are stored. */
export function callFor(scopes: readonly ApiScope[], token: string, keys: readonly KeyBody[], origin: string): Call {
  const runsAgent = scopes.includes("sessions:write");
  const prompt = runsAgent ? t.snippet.agentPrompt : t.snippet.chatPrompt;
  return { baseUrl: `${origin}/v1`, token, model: runsAgent ? "agent" : modelOf(keys), prompt };
}

const curl = ({ baseUrl, token, model, prompt }: Call) => `curl ${baseUrl}/chat/completions \\
  -H "Authorization: Bearer ${token}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": ${JSON.stringify(model)},
    "messages": [{"role": "user", "content": ${JSON.stringify(prompt)}}]
  }'`;

const python = ({ baseUrl, token, model, prompt }: Call) => `from openai import OpenAI

client = OpenAI(
    base_url="${baseUrl}",
    api_key="${token}",
)
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "${prompt}"}],
)
print(answer.choices[0].message.content)`;

const typescript = ({ baseUrl, token, model, prompt }: Call) => `import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "${baseUrl}",
  apiKey: "${token}",
});
const answer = await client.chat.completions.create({
  model: "${model}",
  messages: [{ role: "user", content: "${prompt}" }],
});
console.log(answer.choices[0]?.message.content);`;

const WRITERS: Record<Language, (call: Call) => string> = { curl, python, typescript };
export const snippet = (language: Language, call: Call): string => WRITERS[language](call);

export const VERIFY_SNIPPET = `import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
// The body as it came, before any parsing; it throws for what is not ours.
const event = webhook.verify(body, request.headers);`;
