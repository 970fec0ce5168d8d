import { describe, expect, it } from "vitest";
import { judgeBody, judgePath, refusedBeta } from "./policy.ts";
import { parseStrict } from "./strict-json.ts";

const BASE = "http://app.test";
const door = (path: string, method = "POST") => judgePath(method, new URL(BASE + path)).kind;

describe("paths", () => {
  it.each(["/llm/v1/messages", "/llm/v1/messages?beta=true", "/llm/v1/messages/count_tokens", "/llm/v1/messages/count_tokens?beta=true"])(
    "passes POST %s",
    (path) => {
      expect(door(path)).toBe("call");
    },
  );

  it("answers the client's hello itself", () => expect(door("/llm/api/hello", "HEAD")).toBe("hello"));

  it.each([
    "/llm/v1/messages/",
    "/llm/v1/messages/batches",
    "/llm/v1/messages/../files",
    "/llm/v1/messages/%2e%2e/files",
    "/llm/v1/messages/..%2ffiles",
    "/llm/v1/messages\\..\\files",
    "/llm/v1/messages;/../files",
    "/llm/v1/messages%00",
    "/llm//v1/messages",
    "/llm/V1/messages",
    "/llm/v1/Messages",
    "/llm/v1/files",
    "/llm/v1/models",
    "/llm/v1/organizations/me",
    "/llm/v1/complete",
    "/llm/v1/messages?beta=true&x=1",
    "/llm/v1/messages?beta=false",
    "/llm/v1/messages?x",
    "/llm/v1/skills",
    "/llm",
    "/llm/",
    "/llm/http://evil.test/v1/messages",
  ])("closes %s", (path) => expect(door(path)).toBe("closed"));

  it.each(["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])("closes %s on a call's path", (method) => {
    expect(door("/llm/v1/messages", method)).toBe("closed");
  });
});

describe("betas", () => {
  it("passes those of the client and unknown ones", () => {
    expect(
      refusedBeta("claude-code-20250219,interleaved-thinking-2025-05-14,advanced-tool-use-2025-11-20,something-new-2027-01-01"),
    ).toBeNull();
    expect(refusedBeta(null)).toBeNull();
  });

  it.each([
    "files-api-2025-04-14",
    "mcp-client-2025-11-20",
    "code-execution-2025-08-25",
    "web-fetch-2025-09-10",
    "skills-2025-10-02",
    " Files-API-2030-01-01 ",
  ])("refuses %s", (beta) => {
    expect(refusedBeta(`claude-code-20250219, ${beta}`)).toBe(beta.trim().toLowerCase());
  });
});

const bytes = (body: unknown) => new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
const call = (extra: object = {}) => ({
  model: "claude-sonnet-5",
  max_tokens: 1_000,
  messages: [{ role: "user", content: "hi" }],
  ...extra,
});
const judge = (body: unknown) => judgeBody(bytes(body), "messages");
const saying = (...content: unknown[]) => call({ messages: [{ role: "user", content }] });
const isRefused = (body: unknown) => !judge(body).ok;

describe("bodies", () => {
  it("passes an ordinary call and reports what the budget needs", () => {
    expect(judge(call({ stream: true }))).toEqual({ ok: true, model: "claude-sonnet-5", maxTokens: 1_000, isStream: true });
  });

  it("passes what the real client sends: system messages, adaptive thinking, web search, base64 images", () => {
    const body = call({
      system: [{ type: "text", text: "x-anthropic-billing-header: cc_version=2" }],
      thinking: { type: "adaptive" },
      context_management: { edits: [] },
      output_config: { effort: "high", format: { type: "json_schema", schema: { properties: { source: { type: "url" } } } } },
      metadata: { user_id: '{"device_id":"d"}' },
      mcp_servers: [],
      tools: [
        { name: "Read", input_schema: { type: "object", properties: { source: { type: "file" } } } },
        { type: "web_search_20250305", name: "web_search" },
      ],
      messages: [
        { role: "system", content: "x" },
        { role: "user", content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "AA==" } }] },
        {
          role: "assistant",
          content: [
            {
              type: "tool_use",
              id: "t",
              name: "Fetch",
              input: { source: { type: "url", url: "https://a.test" }, type: "web_fetch_20250910" },
            },
          ],
        },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: '{"source":{"type":"url"}}' }] }],
        },
      ],
    });
    expect(judge(body).ok).toBe(true);
  });

  it("needs no max_tokens to count tokens", () => {
    expect(judgeBody(bytes({ model: "claude-sonnet-5", messages: [] }), "count_tokens").ok).toBe(true);
  });

  it.each<[string, object]>([
    ["an image by URL", saying({ type: "image", source: { type: "url", url: "https://evil.test/?q=secret" } })],
    ["a document by URL", saying({ type: "document", source: { type: "url", url: "https://evil.test" } })],
    ["a document by file id", saying({ type: "document", source: { type: "file", file_id: "f" } })],
    [
      "an image by URL within a tool result",
      saying({ type: "tool_result", tool_use_id: "t", content: [{ type: "image", source: { type: "url", url: "https://evil.test" } }] }),
    ],
    [
      "an image by URL within a document",
      saying({ type: "document", source: { type: "content", content: [{ type: "image", source: { type: "url", url: "x" } }] } }),
    ],
    ["an image by URL in the system prompt", call({ system: [{ type: "image", source: { type: "url", url: "x" } }] })],
    ["an upload to a container", saying({ type: "container_upload", file_id: "f" })],
    ["tool servers", call({ mcp_servers: [{ type: "url", url: "https://evil.test", name: "e" }] })],
    ["tool servers that are not a list", call({ mcp_servers: { 0: {} } })],
    ["a container", call({ container: "c" })],
    ["a container with skills", call({ container: { skills: [] } })],
    ["the fetch tool", call({ tools: [{ type: "web_fetch_20250910", name: "web_fetch" }] })],
    ["the code tool", call({ tools: [{ type: "code_execution_20250825", name: "code_execution" }] })],
    ["a tool-server toolset", call({ tools: [{ type: "mcp_toolset", mcp_server_name: "e" }] })],
    ["a fetch tool added in a later message", saying({ type: "tool_change", tools: [{ type: "web_fetch_20260101", name: "web_fetch" }] })],
    ["no model", call({ model: undefined })],
    ["a model that is not a name", call({ model: "a b\nc" })],
    ["no max_tokens", call({ max_tokens: undefined })],
    ["a boundless max_tokens", call({ max_tokens: 1e9 })],
    ["a negative max_tokens", call({ max_tokens: -1 })],
    ["a fractional max_tokens", call({ max_tokens: 1.5 })],
    ["stream as text", call({ stream: "yes" })],
  ])("refuses %s", (_, body) => expect(isRefused(body)).toBe(true));

  it.each<[string, string]>([
    ["not JSON", "{"],
    ["an array", "[]"],
    ["a duplicate key", '{"model":"a","model":"b","max_tokens":1,"messages":[]}'],
    ["a duplicate key in another spelling", '{"model":"a","max_tokens":1,"container":null,"cont\\u0061iner":"c","messages":[]}'],
    [
      "a duplicate key deep inside",
      '{"model":"a","max_tokens":1,"messages":[{"role":"user","content":[{"source":{"type":"base64","type":"url"}}]}]}',
    ],
    ["deep nesting", `{"model":"a","max_tokens":1,"messages":${"[".repeat(80)}${"]".repeat(80)}}`],
  ])("refuses %s", (_, text) => expect(isRefused(text)).toBe(true));

  it("refuses what is not UTF-8", () => {
    const broken = bytes(call());
    broken[20] = 0xff;
    expect(judgeBody(broken, "messages").ok).toBe(false);
  });

  it("does not take its own prototype for fields", () => {
    expect(judge('{"model":"a","max_tokens":1,"messages":[],"__proto__":{"container":"c"}}').ok).toBe(true);
  });
});

describe("strict JSON", () => {
  it.each([
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    '{"a\\"":1,"a":2}',
    '{"a":"b:\\"a\\":","b":"\\\\"}',
    '[":",":"]',
    '{"":1,"a":""}',
    ' { "a" : 1 , "b" : { } } ',
  ])("reads %s", (text) => {
    expect(parseStrict(text, 64)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  it.each(['{"a":1,"a":2}', '{"a":1,"b":{"c":1},"a":2}', '{"a\\u0062":1,"ab":2}', '[{"x":{"y":1,"y":1}}]', '{"":1,"":2}'])(
    "finds the duplicate in %s",
    (text) => {
      expect(parseStrict(text, 64)).toEqual({ ok: false, reason: "duplicate_key" });
    },
  );

  it("counts depth from the outermost", () => {
    expect(parseStrict("[[]]", 2).ok).toBe(true);
    expect(parseStrict("[[[]]]", 2)).toEqual({ ok: false, reason: "too_deep" });
  });
});
