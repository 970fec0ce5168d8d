/**
 * The scripted stand-in for every host that the Worker calls in workerd tests. `upstream.test` is the provider,
 * `demo.test` the demo model; `packs.test` writes saved states with the agent's own code. What arrived is read back with GET http://upstream.test/__log and forgotten with DELETE.
 * A key that contains "revoked", "nocredit", "redirect" or "unreachable" fails in that way; a body that contains
 * SCENARIO=<name> chooses one of the answers below.
 */

import { answerDialect, isDialectHost } from "./dialect-upstream.ts";

export interface UpstreamRecord {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

const records: UpstreamRecord[] = [];
const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", "request-id": "req_upstream", ...headers } });
const failure = (status: number, type: string, message: string, headers: Record<string, string> = {}) =>
  json(status, { type: "error", error: { type, message } }, headers);

export async function answer(request: Request): Promise<Response> {
  const url = new URL(request.url);
  if (url.hostname === "packs.test") return (await import("./saved-packs.ts")).answerPacks(request);
  if (url.pathname === "/__hook") {
    hookStatus.set(url.searchParams.get("name") ?? "", Number(url.searchParams.get("status")));
    return json(200, {});
  }
  if (url.pathname === "/__log") {
    if (request.method === "DELETE") records.length = 0;
    return json(200, records);
  }
  const record: UpstreamRecord = {
    method: request.method,
    url: request.url,
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
  };
  records.push(record);
  if (url.hostname.endsWith(".hooks.example.com")) return hookAnswer(url);
  const key = request.headers.get("x-api-key") ?? request.headers.get("authorization")?.replace(/^bearer /i, "") ?? "";
  if (isDialectHost(url)) return answerDialect(url, key, record.body);
  const problem = keyFailure(key);
  if (problem !== null) return problem;
  if (url.pathname.endsWith("/info/refs")) return gitAnswer(request);
  if (url.pathname === "/user") return json(key.includes("good") ? 200 : 401, {});
  if (url.hostname.endsWith("npmjs.org"))
    return json(200, { name: "left-pad" }, { "alt-svc": 'h3=":443"', "keep-alive": "timeout=5", "x-kept": "yes" });
  if (url.hostname === "moved.example.com") return new Response(null, { status: 302, headers: { location: "http://169.254.169.254/" } });
  if (url.hostname === "echo.example.com") return new Response(record.body, { headers: { "content-type": "text/plain" } });
  if (url.pathname === "/v1/models") return json(200, modelPage());
  if (url.pathname === "/v1/messages/count_tokens") return json(200, { input_tokens: 42 });
  if (url.pathname === "/v1/messages") return answerMessage(record);
  return failure(404, "not_found_error", `no scripted answer for ${request.method} ${request.url}`);
}

/** A receiver of webhooks: `/?status=503` answers that, `/late` after half a second. Tests change its mind with `/?name=` and __hook. */
async function hookAnswer(url: URL): Promise<Response> {
  if (url.pathname === "/late") await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  const status = hookStatus.get(url.searchParams.get("name") ?? "") ?? Number(url.searchParams.get("status") ?? 204);
  const headers = { location: "http://169.254.169.254/" };
  return new Response(status === 200 ? "a body that nobody reads" : null, {
    status,
    headers: status >= 300 && status < 400 ? headers : {},
  });
}
const LATE_MS = 500;
const hookStatus = new Map<string, number>();

/** A Git host that knows one password, and hides what it does not show. */
function gitAnswer(request: Request): Response {
  const password = atob(request.headers.get("authorization")?.replace(/^basic /i, "") ?? "").split(":")[1] ?? "";
  if (password.includes("away")) return new Response(null, { status: 302, headers: { location: "https://evil.test/" } });
  return password.includes("good") ? new Response("001e# service=git-upload-pack\n0000") : new Response("no", { status: 401 });
}

function keyFailure(key: string): Response | null {
  if (key.includes("unreachable")) throw new Error("connection refused (scripted)");
  if (key.includes("redirect")) return new Response(null, { status: 307, headers: { location: "http://evil.test/v1/models" } });
  if (key.includes("revoked")) return failure(401, "authentication_error", "invalid x-api-key");
  if (key.includes("nocredit")) {
    return failure(
      400,
      "invalid_request_error",
      "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
    );
  }
  return null;
}

const modelPage = () => ({
  data: ["claude-opus-5-5", "claude-sonnet-5", "claude-haiku-4-5"].map((id) => ({
    type: "model",
    id,
    display_name: id,
    created_at: "2026-01-01T00:00:00Z",
  })),
  has_more: false,
  first_id: "claude-opus-5-5",
  last_id: "claude-haiku-4-5",
});

function answerMessage(record: UpstreamRecord): Response {
  // The newest: earlier ones may be quoted.
  const scenario = [...record.body.matchAll(/SCENARIO=(\w+)/g)].at(-1)?.[1] ?? "plain";
  const { model = "unknown", stream = false } = JSON.parse(record.body) as { model?: string; stream?: boolean };
  if (scenario === "overloaded") return failure(529, "overloaded_error", "Overloaded");
  if (scenario === "limited")
    return failure(429, "rate_limit_error", "Too many requests", { "retry-after": "7", "anthropic-ratelimit-requests-remaining": "0" });
  if (scenario === "invalid") return failure(400, "invalid_request_error", "max_tokens: too large");
  if (scenario === "redirected") return new Response(null, { status: 301, headers: { location: "http://evil.test/" } });
  if (!stream) return json(200, message(model), { "set-cookie": "a=b", "alt-svc": "h3", "x-internal": "1" });
  const isLooking = scenario === "look" && !record.body.includes('"tool_result"');
  const streamed = scenario === "long" ? long(model) : scenario in STORY_EVENTS ? story(model, STORY_EVENTS[scenario]) : whole(model);
  return new Response(isLooking ? looking(model) : streamed, {
    headers: { "content-type": "text/event-stream", "set-cookie": "a=b", "request-id": "req_upstream" },
  });
}

const usage = { input_tokens: 1_000, output_tokens: 200, cache_read_input_tokens: 5_000, cache_creation_input_tokens: 400 };
const message = (model: string) => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model,
  content: [{ type: "text", text: "Hello." }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage,
});
const event = (data: { type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const start = (model: string) => ({
  type: "message_start",
  message: { ...message(model), content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } },
});
const delta = (text: string) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });

/** The bytes that a streamed answer consists of, for comparing byte for byte. */
export const whole = (model: string): string =>
  [
    start(model),
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "ping" },
    delta("Hel"),
    delta("lo."),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 200 } },
    { type: "message_stop" },
  ]
    .map(event)
    .join("") + ": a comment\n\n";

/** What a model says that looks at the project's files first. */
function looking(model: string): string {
  const uses = [
    { name: "list_files", input: {} },
    { name: "read_file", input: { path: "src/app.ts" } },
    { name: "search_files", input: { name: "src", contains: "answer" } },
    { name: "read_file", input: { path: "../secret" } },
    { name: "write_file", input: { path: "a" } },
  ];
  const blocks = uses.flatMap(({ name, input }, index) => [
    { type: "content_block_start", index, content_block: { type: "tool_use", id: `toolu_${index}`, name, input: {} } },
    { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: JSON.stringify(input) } },
    { type: "content_block_stop", index },
  ]);
  const end = { type: "message_delta", delta: { stop_reason: "tool_use", stop_sequence: null }, usage: { output_tokens: 20 } };
  return [start(model), ...blocks, end, { type: "message_stop" }].map(event).join("");
}

/** About two seconds of streaming: a caller that leaves does so long before its end. */
const LONG_EVENTS = 400;
const LONG_PAUSE_MS = 5;

const encode = (data: { type: string }) => new TextEncoder().encode(event(data));

/** Pieces of an answer that is whole at its end: half a second of it, and one that nobody hears out. */
const STORY_EVENTS: Readonly<Record<string, number>> = { story: 100, endless: 1_500 };

function story(model: string, events = 1): ReadableStream<Uint8Array> {
  const words = Array.from({ length: events }, () => delta("x".repeat(400)));
  const parts = [
    start(model),
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    ...words,
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: events * 100 } },
    { type: "message_stop" },
  ];
  return new ReadableStream({
    async pull(controller) {
      const part = parts.shift();
      if (part === undefined) return controller.close();
      controller.enqueue(encode(part));
      await new Promise((resolve) => setTimeout(resolve, LONG_PAUSE_MS));
    },
  });
}

function long(model: string): ReadableStream<Uint8Array> {
  let count = 0;
  return new ReadableStream({
    async pull(controller) {
      controller.enqueue(encode(count === 0 ? start(model) : delta("x".repeat(400))));
      count += 1;
      if (count === LONG_EVENTS) controller.close();
      else await new Promise((resolve) => setTimeout(resolve, LONG_PAUSE_MS));
    },
  });
}
