/** Operations in OpenAI's dialect. */
import type { Operation } from "./operation.ts";

const usage = { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 };
const chunk = (choices: string, rest = "") =>
  `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"claude-sonnet-5","choices":[${choices}]${rest}}\n\n`;

const STREAM =
  chunk(`{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}`) +
  chunk(`{"index":0,"delta":{"content":"Hello."},"finish_reason":null}`) +
  chunk(`{"index":0,"delta":{},"finish_reason":"stop"}`) +
  chunk("", `,"usage":${JSON.stringify(usage)}`) +
  "data: [DONE]\n\n";

export const CHAT_OPERATIONS: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/chat/completions",
    id: "createChatCompletion",
    tag: "Chat",
    summary: "Answer a conversation",
    description:
      "A model's name answers directly, with the stored key of its provider and without a sandbox. `agent`, or `agent:` and a project's id, " +
      "runs the coding agent in a session: name it in `metadata.session_id` or the header `x-session-id` to go on with it. " +
      "The agent also reads `metadata.approvals` (`deny`, `accept_edits`, `all`) and `metadata.tool_progress` (`off`, `comments`, `text`), " +
      "needs the scope `sessions:write` in place of `chat`, and says in `metadata` of its answer which files it changed.",
    scopes: ["chat"],
    parameters: [
      {
        name: "x-session-id",
        in: "header",
        description: "Of a model `agent…`: the session to go on with. The first answer carries the new one's id.",
        schema: { type: "string" },
      },
      {
        name: "x-project-id",
        in: "header",
        description: "The project whose choice of provider and model counts. `metadata.project_id` says the same.",
        schema: { type: "string" },
      },
    ],
    body: {
      schema: "ChatCompletionRequest",
      example: { model: "claude-sonnet-5", messages: [{ role: "user", content: "Say hello." }] },
    },
    isIdempotent: true,
    answers: [
      {
        status: 200,
        description: "The answer, whole or as a stream (`stream: true`).",
        schema: "ChatCompletion",
        example: {
          id: "chatcmpl-1",
          object: "chat.completion",
          created: 1_700_000_000,
          model: "claude-sonnet-5",
          choices: [{ index: 0, message: { role: "assistant", content: "Hello.", refusal: null }, logprobs: null, finish_reason: "stop" }],
          usage,
        },
        stream: { description: "Chunks (`ChatCompletionChunk`), and last `[DONE]`. Comments keep a silent stream alive.", example: STREAM },
        headers: { "x-session-id": "Of a model `agent…`: its session." },
      },
    ],
    errors: [
      "bad_request",
      "too_large",
      "not_found",
      "model_unknown",
      "key_missing",
      "key_invalid",
      "key_no_credit",
      "provider_key_missing",
      "provider_address_refused",
      "upstream_unreachable",
      "token_budget_reached",
      "budget_reached",
      "needs_signed_command",
    ],
  },
  {
    method: "get",
    path: "/v1/models",
    id: "listModels",
    tag: "Models",
    summary: "List models",
    description: "The models of the stored keys, as far as the token may use them, and the coding agent with the caller's projects.",
    scopes: [],
    answers: [
      {
        status: 200,
        description: "The models.",
        schema: "ModelList",
        example: {
          object: "list",
          data: [
            { id: "claude-sonnet-5", object: "model", created: 1_700_000_000, owned_by: "anthropic" },
            { id: "agent", object: "model", created: 0, owned_by: "agent" },
          ],
        },
      },
    ],
    errors: [],
  },
  {
    method: "get",
    path: "/v1/models/{id}",
    id: "getModel",
    tag: "Models",
    summary: "Show one model",
    description: "A model's name may hold slashes, written as they are.",
    scopes: [],
    parameters: [{ name: "id", in: "path", description: "The model's name.", schema: { type: "string" }, example: "agent" }],
    answers: [
      {
        status: 200,
        description: "The model.",
        schema: "Model",
        example: { id: "agent", object: "model", created: 0, owned_by: "agent" },
      },
    ],
    errors: ["model_unknown"],
  },
];
