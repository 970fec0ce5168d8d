/** A program that uses /v1: a token of a person with a stored key, OpenAI's official client, and a provider that says what a test scripts. */
import { env } from "cloudflare:workers";
import type { ApiScope, ApiTokenCreatedBody } from "@ai-dev-platform/protocol/api/access";
import OpenAI, { type ClientOptions } from "openai";
import { Secret } from "../../../worker/keys/secret.ts";
import { storeKey } from "../../../worker/keys/vault.ts";
import { fetchApp, ORIGIN, signUp, testApiKey, type AppClient } from "./app-client.ts";

export interface Program {
  owner: AppClient;
  token: string;
  tokenId: string;
  /** The official client. It does not try again, unless it is told to. */
  openai(options?: ClientOptions): OpenAI;
  /** A request to /v1 with its token. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  spentUsd(): Promise<number>;
}

export interface ProgramOptions {
  scopes?: ApiScope[];
  /** Of the stored key; null: none is stored. */
  marker?: string | null;
  models?: string[];
  budgetUsd?: number;
}

export async function newProgram({ scopes = ["chat"], marker = "working", models = [], budgetUsd }: ProgramOptions = {}): Promise<Program> {
  const owner = await signUp();
  if (marker !== null) await storeKey(env, owner.userId, new Secret(testApiKey(marker)), models);
  return programOf(owner, { scopes, ...(budgetUsd === undefined ? {} : { budgetUsd }) });
}

export async function programOf(owner: AppClient, options: { scopes: ApiScope[]; budgetUsd?: number }): Promise<Program> {
  const { token, tokenId } = await owner.json<ApiTokenCreatedBody>("POST", "/api/tokens", { name: "Script", ...options });
  const request: Program["fetch"] = (path, init = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
    return fetchApp(path, { ...init, headers });
  };
  return {
    owner,
    token,
    tokenId,
    openai: (more = {}) =>
      new OpenAI({
        apiKey: token,
        baseURL: `${ORIGIN}/v1`,
        maxRetries: 0,
        fetch: (input, init) => fetchApp(new URL(String(input)).pathname, init),
        ...more,
      }),
    fetch: request,
    post: (path, body, headers = {}) =>
      request(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    spentUsd: async () => (await env.API_ACCOUNT.getByName(owner.userId).spentUsd())[tokenId] ?? 0,
  };
}

export type Provider = (request: {
  body: Record<string, unknown>;
  signal: AbortSignal;
  headers: Headers;
  url: string;
}) => Response | Promise<Response>;

/** Every call of a model goes to `provider` until the test ends; what the Worker says to others goes its way. */
export async function withProvider<T>(provider: Provider, run: () => Promise<T>): Promise<T> {
  const real = globalThis.fetch;
  globalThis.fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    if (!request.url.startsWith("http://upstream.test/v1/messages")) return real(input, init);
    const body: Record<string, unknown> = await request.json();
    return provider({ body, signal: init?.signal ?? request.signal, headers: request.headers, url: request.url });
  };
  try {
    return await run();
  } finally {
    globalThis.fetch = real;
  }
}

export const USAGE = { input_tokens: 1_000, output_tokens: 200, cache_read_input_tokens: 5_000, cache_creation_input_tokens: 400 };
/** What that costs with claude-sonnet-5. */
export const USAGE_USD = (1_000 * 3 + 400 * 3.75 + 5_000 * 0.3 + 200 * 15) / 1e6;

export const messageOf = (content: unknown[], fields: Record<string, unknown> = {}) => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-5",
  content,
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: USAGE,
  ...fields,
});

export const textDelta = (text: string, index = 0) => ({ type: "content_block_delta", index, delta: { type: "text_delta", text } });
export const sse = (events: readonly { type: string }[], lineEnd = "\n"): string =>
  events.map((event) => `event: ${event.type}${lineEnd}data: ${JSON.stringify(event)}${lineEnd}${lineEnd}`).join("");

/** The events of a streamed answer around what its blocks say. */
export function storyOf(blocks: readonly { type: string }[], { stopReason = "end_turn", usage = USAGE, model = "claude-sonnet-5" } = {}) {
  const { output_tokens: outputTokens, ...input } = usage;
  return [
    { type: "message_start", message: { ...messageOf([]), model, stop_reason: null, usage: { ...input, output_tokens: 1 } } },
    ...blocks,
    { type: "message_delta", delta: { stop_reason: stopReason, stop_sequence: null }, usage: { output_tokens: outputTokens } },
    { type: "message_stop" },
  ];
}
export const textBlock = (...texts: string[]) => [
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  ...texts.map((text) => textDelta(text)),
  { type: "content_block_stop", index: 0 },
];
export const toolBlock = (index: number, id: string, name: string, ...json: string[]) => [
  { type: "content_block_start", index, content_block: { type: "tool_use", id, name, input: {} } },
  ...json.map((text) => ({ type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: text } })),
  { type: "content_block_stop", index },
];

/** Bytes as a stream in these pieces. */
export function inPieces(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
}
export const streamed = (body: BodyInit): Response =>
  new Response(body, { headers: { "content-type": "text/event-stream", "request-id": "req_upstream" } });

/** Until it is so; the time limit is the test's. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2));
}
