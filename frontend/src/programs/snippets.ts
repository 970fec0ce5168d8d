/** First calls to the API, ready to run, and how a webhook is verified. Pure. */
import type { ApiScope } from "@ai-dev-platform/protocol/api/access";
import { t } from "./messages.ts";

export const LANGUAGES = ["curl", "python", "typescript"] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Call {
  baseUrl: string;
  token: string;
  model: string;
  prompt: string;
}

/** Where nothing is known of the person's keys: what is current. */
const ANY_MODEL = "claude-sonnet-4-5";

/** What a token with these scopes is best tried with. `models`: of the stored key. */
export function callFor(scopes: readonly ApiScope[], token: string, models: readonly string[], origin: string): Call {
  const runsAgent = scopes.includes("sessions:write");
  const model = runsAgent ? "agent" : (models.find((name) => name.includes("sonnet")) ?? models[0] ?? ANY_MODEL);
  return { baseUrl: `${origin}/v1`, token, model, prompt: runsAgent ? t.snippet.agentPrompt : t.snippet.chatPrompt };
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
