/**
 * Providers that speak OpenAI's dialect, scripted: api.openai.com, openrouter.ai, llm.example.com (a custom one) and a model
 * server on this computer (127.0.0.1:11434). The same words in a key or a body as for the provider in upstream.ts.
 */
import { dialectAnswer, dialectStream } from "../dialect-answers.ts";

const PROVIDERS = new Set(["api.openai.com", "openrouter.ai", "llm.example.com", "127.0.0.1"]);

export const isDialectHost = (url: URL): boolean => PROVIDERS.has(url.hostname);

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  Response.json(body, {
    status,
    headers: { "x-request-id": "req_theirs", "set-cookie": "a=b", "openai-organization": "their-org", ...headers },
  });
const failure = (status: number, code: string | null, message: string, headers: Record<string, string> = {}) =>
  json(
    status,
    { error: { message, type: "invalid_request_error", param: code === "unsupported_value" ? "temperature" : null, code } },
    headers,
  );

export function answerDialect(url: URL, key: string, body: string): Response {
  const problem = keyFailure(url, key);
  if (problem !== null) return problem;
  const path = url.pathname.replace(/^.*\/v1\//, "");
  if (path === "models") return modelList(url, key);
  if (path === "key") return json(200, { data: routerKey(key) });
  return path === "chat/completions" ? chat(body) : failure(404, null, `no scripted answer for ${url.href}`);
}

function keyFailure({ hostname }: URL, key: string): Response | null {
  if (key.includes("unreachable")) throw new Error("connection refused (scripted)");
  if (key.includes("redirect")) return new Response(null, { status: 307, headers: { location: "http://evil.test/v1/models" } });
  // OpenAI repeats a part of the key, others all of it.
  if (key.includes("revoked")) return failure(401, "invalid_api_key", `Incorrect API key provided: ${key}.`);
  if (key.includes("nocredit") && hostname === "openrouter.ai") return json(402, { error: { code: 402, message: "Insufficient credits" } });
  return key.includes("nocredit") ? failure(429, "insufficient_quota", "You exceeded your current quota, please check your plan.") : null;
}

function modelList({ hostname }: URL, key: string): Response {
  if (key.includes("nolist")) return failure(404, null, "Not Found");
  if (key.includes("webpage")) return new Response("<html>welcome</html>", { headers: { "content-type": "text/html" } });
  if (key.includes("scoped"))
    return failure(403, null, "You have insufficient permissions for this operation. Missing scopes: api.model.read.");
  const lists: Record<string, string[]> = {
    "api.openai.com": ["gpt-4o", "o3", "text-embedding-3-small", "gpt-image-1", "whisper-1", "<script>"],
    "openrouter.ai": ["openai/gpt-4o", "somebody/model:free", "openrouter/auto", "bad name"],
  };
  return json(200, { object: "list", data: (lists[hostname] ?? ["llama3.1:8b"]).map((id) => ({ id, object: "model" })) });
}

const routerKey = (key: string) => ({
  label: "sk-or-v1-…",
  limit_remaining: key.includes("usedup") ? 0 : 5,
  is_management_key: key.includes("managing"),
});

function chat(body: string): Response {
  const scenario = [...body.matchAll(/SCENARIO=(\w+)/g)].at(-1)?.[1] ?? "plain";
  const {
    model,
    stream = false,
    stream_options: options,
  } = JSON.parse(body) as {
    model: string;
    stream?: boolean;
    stream_options?: { include_usage?: boolean };
  };
  if (scenario === "redirected") return new Response(null, { status: 307, headers: { location: "http://evil.test/" } });
  if (scenario === "limited")
    return failure(429, "rate_limit_exceeded", "Rate limit reached", { "retry-after": "7", "x-ratelimit-remaining-tokens": "0" });
  if (scenario === "invalid") return failure(400, "unsupported_value", "Unsupported value: 'temperature' does not support 3.");
  if (scenario === "broken") return new Response("<html>bad gateway</html>", { status: 502 });
  if (scenario === "long") return new Response(long(model), { headers: { "content-type": "text/event-stream" } });
  if (!stream)
    return new Response(dialectAnswer(model), {
      headers: { "content-type": "text/html", "set-cookie": "a=b", "openai-organization": "their-org" },
    });
  return new Response(dialectStream(model, options?.include_usage === true), {
    headers: { "content-type": "text/event-stream", "set-cookie": "a=b", "x-request-id": "req_theirs" },
  });
}

/** Two seconds of it: whoever leaves does so long before, and nobody has to wait for what nobody hears. */
const LONG_CHUNKS = 400;
const PAUSE_MS = 5;

function long(model: string): ReadableStream<Uint8Array> {
  const line = `data: ${JSON.stringify({ model, choices: [{ index: 0, delta: { content: "x".repeat(400) } }] })}\n\n`;
  let left = LONG_CHUNKS;
  return new ReadableStream({
    async pull(controller) {
      if (left === 0) return controller.close();
      left -= 1;
      controller.enqueue(new TextEncoder().encode(line));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    },
  });
}
