import { beforeAll, describe, expect, it } from "vitest";
import { inPieces, messageOf, newProgram, withProvider, type Program } from "../support/worker/programs.ts";

let program: Program;
beforeAll(async () => {
  program = await newProgram();
});

const CHAT = "/v1/chat/completions";
const hi = { model: "claude-sonnet-5", messages: [{ role: "user" as const, content: "hi" }] };

interface ErrorShape {
  error: { message: string; type: string; param: string | null; code: string; retryable: boolean; requestId: string };
}

describe("hostile bodies", () => {
  const deep = `{"model":"claude-sonnet-5","messages":[],"x":${"[".repeat(5_000)}${"]".repeat(5_000)}}`;
  const message = (content: unknown, extra: object = {}) => ({ messages: [{ role: "user", content, ...extra }] });
  it.each<[string, unknown, string | null]>([
    ["n: 100", { n: 100 }, "n"],
    ["n: 0", { n: 0 }, "n"],
    ["n: '1'", { n: "1" }, "n"],
    ["stream: 'yes'", { stream: "yes" }, "stream"],
    ["stream: 1", { stream: 1 }, "stream"],
    ["a negative max_tokens", { max_tokens: -1 }, "max_tokens"],
    ["a broken max_tokens", { max_tokens: 1.5 }, "max_tokens"],
    ["a boundless max_completion_tokens", { max_completion_tokens: 1e18 }, "max_completion_tokens"],
    ["a hot temperature", { temperature: 2.1 }, "temperature"],
    ["temperature as text", { temperature: "1" }, "temperature"],
    ["top_p 2", { top_p: 2 }, "top_p"],
    ["five stops", { stop: ["a", "b", "c", "d", "e"] }, "stop"],
    ["a blank stop", { stop: "\n" }, "stop"],
    ["no messages", { messages: [] }, "messages"],
    ["messages: null", { messages: null }, "messages"],
    ["messages: {}", { messages: {} }, "messages"],
    ["a message of text", { messages: ["hi"] }, "messages[0]"],
    ["an unknown role", { messages: [{ role: "root", content: "x" }] }, "messages[0].role"],
    ["content: 5", message(5), "messages[0].content"],
    ["content: null", message(null), "messages[0].content"],
    ["an unknown part", message([{ type: "video", video: "x" }]), "messages[0].content[0].type"],
    ["a part without text", message([{ type: "text" }]), "messages[0].content[0].text"],
    ["sound", message([{ type: "input_audio", input_audio: { data: "", format: "wav" } }]), "messages[0].content[0].type"],
    [
      "a picture by http",
      message([{ type: "image_url", image_url: { url: "http://a.test/x.png" } }]),
      "messages[0].content[0].image_url.url",
    ],
    [
      "a picture in a file",
      message([{ type: "image_url", image_url: { url: "file:///etc/passwd" } }]),
      "messages[0].content[0].image_url.url",
    ],
    [
      "a picture of a strange kind",
      message([{ type: "image_url", image_url: { url: "data:image/svg+xml;base64,AA==" } }]),
      "messages[0].content[0].image_url.url",
    ],
    ["a file by id", message([{ type: "file", file: { file_id: "file-1" } }]), "messages[0].content[0].file.file_data"],
    ["a tool's result without a call", { messages: [{ role: "tool", content: "x", tool_call_id: "a" }] }, "messages[0].tool_call_id"],
    [
      "a call without a result",
      {
        messages: [
          { role: "assistant", content: null, tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }] },
        ],
      },
      "messages[0]",
    ],
    ["tools: 'all'", { tools: "all" }, "tools"],
    ["a tool of another kind", { tools: [{ type: "custom", custom: { name: "x" } }] }, "tools[0].type"],
    ["a tool without a name", { tools: [{ type: "function", function: {} }] }, "tools[0].function.name"],
    ["a tool with a wild name", { tools: [{ type: "function", function: { name: "a b" } }] }, "tools[0].function.name"],
    [
      "a tool with a list for a schema",
      { tools: [{ type: "function", function: { name: "a", parameters: [] } }] },
      "tools[0].function.parameters",
    ],
    ["two tools of one name", { tools: [1, 2].map(() => ({ type: "function", function: { name: "a" } })) }, "tools"],
    ["a choice without tools", { tool_choice: "required" }, "tool_choice"],
    ["an unknown choice", { tool_choice: "perhaps" }, "tool_choice"],
    [
      "a choice that is not there",
      { tools: [{ type: "function", function: { name: "a" } }], tool_choice: { type: "function", function: { name: "b" } } },
      "tool_choice",
    ],
    ["log probabilities", { logprobs: true }, "logprobs"],
    ["functions", { functions: [{ name: "x" }] }, "functions"],
    ["sound as answer", { modalities: ["text", "audio"] }, "modalities[1]"],
    ["an unknown format", { response_format: { type: "xml" } }, "response_format.type"],
    [
      "a format without a schema",
      { response_format: { type: "json_schema", json_schema: { name: "x" } } },
      "response_format.json_schema.schema",
    ],
    [
      "a schema without a type",
      { response_format: { type: "json_schema", json_schema: { name: "x", schema: { nothing: 1 } } } },
      "response_format.json_schema.schema",
    ],
    ["metadata that is no text", { metadata: { a: 1 } }, "metadata.a"],
    ["a user that is a number", { user: 5 }, "user"],
    ["no model", { model: undefined }, "model"],
    ["model: null", { model: null }, "model"],
    ["a model with a line end", { model: "claude\nx" }, "model"],
    ["an unknown model", { model: "llama" }, "model"],
    ["an unknown provider", { model: "nowhere/llama" }, "model"],
    ["__proto__ as model", { model: "__proto__" }, "model"],
  ])("[OA2] %s is refused by its field", async (_, patch, param) => {
    const response = await program.post(CHAT, { ...hi, ...(patch as object) });
    const { error } = await response.json<ErrorShape>();
    expect([response.status >= 400 && response.status < 500, error.param]).toEqual([true, param]);
    expect(error.message.length).toBeGreaterThan(10);
    expect(error).toMatchObject({ type: "invalid_request_error", retryable: false, requestId: response.headers.get("x-request-id") });
  });

  it.each<[string, string, number]>([
    ["nothing", "", 400],
    ["no JSON", "{", 400],
    ["a list", "[]", 400],
    ["null", "null", 400],
    ["a number", "5", 400],
    ["a key twice", '{"model":"claude-sonnet-5","model":"claude-opus-5-5","messages":[{"role":"user","content":"x"}]}', 400],
    ["a key twice deep inside", '{"model":"claude-sonnet-5","messages":[{"role":"user","role":"system","content":"x"}]}', 400],
    ["5,000 levels", deep, 400],
    ["a lone surrogate half", '{"model":"\\ud83d","messages":[]}', 400],
    ["more than 10 MB", `{"model":"claude-sonnet-5","messages":[{"role":"user","content":"${"x".repeat(11 * 1_048_576)}"}]}`, 413],
  ])("[OA2] %s is refused", async (_, body, status) => {
    const response = await program.post(CHAT, body);
    expect([response.status, (await response.json<ErrorShape>()).error.type]).toEqual([status, "invalid_request_error"]);
  });

  it("[OA2] what is not UTF-8, compressed, or no JSON by its header is refused", async () => {
    const send = (body: BodyInit, headers: Record<string, string>) => program.fetch(CHAT, { method: "POST", body, headers });
    const json = { "content-type": "application/json" };
    expect((await send(Uint8Array.of(0x7b, 0xff), json)).status).toBe(400);
    expect((await send(JSON.stringify(hi), { ...json, "content-encoding": "gzip" })).status).toBe(400);
    expect((await send(JSON.stringify(hi), { "content-type": "text/plain" })).status).toBe(400);
  });

  it("[OA2] a body of almost 10 MB is taken, in pieces and without a length", async () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...hi, messages: [{ role: "user", content: "x".repeat(9 * 1_048_576) }] }));
    const pieces = Array.from({ length: 10 }, (_, n) => bytes.slice(n * 1_000_000, n === 9 ? undefined : (n + 1) * 1_000_000));
    const response = await withProvider(
      () => Response.json(messageOf([{ type: "text", text: "Long." }])),
      () =>
        program.fetch(CHAT, {
          method: "POST",
          body: inPieces(pieces),
          headers: { "content-type": "application/json" },
        }),
    );
    expect(response.status).toBe(200);
  });

  it("[OA2] what clients send beyond is taken", async () => {
    const extras = {
      seed: 7,
      frequency_penalty: 0.5,
      presence_penalty: null,
      logit_bias: { "5": 1 },
      store: true,
      service_tier: "auto",
      verbosity: "low",
    };
    const more = {
      parallel_tool_calls: null,
      tools: null,
      stop: null,
      response_format: null,
      logprobs: false,
      top_logprobs: null,
      functions: null,
    };
    const response = await program.post(CHAT, {
      ...hi,
      ...extras,
      ...more,
      prediction: { type: "content", content: "x" },
      something_new: { a: 1 },
    });
    expect(response.status).toBe(200);
  });
});
