import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppError } from "../errors.ts";
import { toOutputSchema } from "./output-schema.ts";
import { chatRequestSchema, type ChatRequest } from "./request.ts";
import { toAnthropic } from "./to-anthropic.ts";

const MODEL = "claude-sonnet-5";
const OLD = "claude-sonnet-4-5-20250929";
const hi = { role: "user", content: "hi" };
const requestOf = (fields: object): ChatRequest => chatRequestSchema.parse({ model: MODEL, messages: [hi], ...fields });
const asked = (fields: object, model = MODEL) => toAnthropic(requestOf(fields), model, null);
const said = (...messages: object[]) => asked({ messages });
const text = (words: string) => ({ type: "text", text: words });
const call = (id: string, name = "f", args = "{}") => ({ id, type: "function", function: { name, arguments: args } });
const tool = (name: string, more: object = {}) => ({ type: "function", function: { name, parameters: { type: "object" }, ...more } });

describe("conversations", () => {
  it("[OA3] gather what system and developer say, wherever it stands", () => {
    const body = said(
      { role: "system", content: "A" },
      hi,
      { role: "developer", content: [text("B"), text("C")] },
      { role: "system", content: "" },
    );
    expect([body.system, body.messages]).toEqual(["A\n\nB\nC", [{ role: "user", content: [text("hi")] }]]);
  });

  it("[OA3] merge neighbours of one role", () => {
    expect(
      said(
        hi,
        { role: "user", content: [text("and")] },
        { role: "assistant", content: "a" },
        { role: "assistant", content: [text("b")] },
        hi,
      ).messages,
    ).toEqual([
      { role: "user", content: [text("hi"), text("and")] },
      { role: "assistant", content: [text("a"), text("b")] },
      { role: "user", content: [text("hi")] },
    ]);
  });

  it("[OA3] put all results of a turn before the words after it", () => {
    const calls = { role: "assistant", content: null, tool_calls: [call("a.1", "f", '{"x":1}'), call("b", "g", "not json")] };
    const results = [
      { role: "tool", tool_call_id: "b", content: "" },
      { role: "tool", tool_call_id: "a.1", content: [text("one")] },
    ];
    expect(said(hi, calls, ...results, hi).messages.slice(1)).toEqual([
      {
        role: "assistant",
        content: [
          { type: "tool_use", id: "a_1", name: "f", input: { x: 1 } },
          { type: "tool_use", id: "b", name: "g", input: { arguments: "not json" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "b", content: "(empty)" },
          { type: "tool_result", tool_use_id: "a_1", content: "one" },
          text("hi"),
        ],
      },
    ]);
  });

  it("[OA3] name the tools they speak of where none are given any more", () => {
    const body = said(hi, { role: "assistant", tool_calls: [call("a", "look")] }, { role: "tool", tool_call_id: "a", content: "x" });
    expect([body.tools, body.tool_choice]).toEqual([[{ name: "look", input_schema: { type: "object" } }], { type: "none" }]);
  });

  it("[OA3] begin and end with the person", () => {
    expect(said({ role: "assistant", content: "Hello!" }).messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(said({ role: "system", content: "A" }).messages).toEqual([{ role: "user", content: [text("(empty)")] }]);
  });

  it("[OA3] hold no empty text, and keep a refusal", () => {
    expect(
      said({ role: "user", content: "" }, { role: "assistant", content: "", refusal: "No." }, { role: "user", content: " " }).messages,
    ).toEqual([
      { role: "user", content: [text("(empty)")] },
      { role: "assistant", content: [text("No.")] },
      { role: "user", content: [text("(empty)")] },
    ]);
  });

  it("[OA3] alternate, and answer each call once, whatever is said", () => {
    const word = fc.oneof(fc.string(), fc.constantFrom("", " ", "\n"));
    const turn = fc.oneof(
      word.map((content) => [{ role: "user", content }]),
      word.map((content) => [{ role: "system", content }]),
      word.map((content) => [{ role: "assistant", content }]),
      fc
        .uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 })
        .map((ids) => [
          { role: "assistant", content: null, tool_calls: ids.map((id) => call(id)) },
          ...ids.toReversed().map((id) => ({ role: "tool", tool_call_id: id, content: id })),
        ]),
    );
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 10 }), (turns) => {
        const { messages } = said(...turns.flat());
        messages.forEach(({ role }, index) => expect(role).toBe(index % 2 === 0 ? "user" : "assistant"));
        expect(messages.length % 2).toBe(1);
        for (const { content } of messages) {
          if (typeof content === "string") continue;
          expect(content.length).toBeGreaterThan(0);
          for (const block of content) if (block.type === "text") expect(block.text.trim()).not.toBe("");
        }
      }),
    );
  });
});

describe("what a model takes", () => {
  it.each([
    ["claude-3-haiku-20240307", true],
    ["claude-3-5-sonnet-latest", true],
    ["claude-sonnet-4-20250514", true],
    ["claude-opus-4-1-20250805", true],
    ["claude-sonnet-4-6", true],
    ["claude-haiku-4-5", true],
    ["claude-opus-4-7", false],
    ["claude-opus-4-8", false],
    ["claude-sonnet-5", false],
    ["claude-opus-5-5", false],
    ["claude-haiku-5-5", false],
    ["claude-something-new", false],
  ])("[OA3] %s takes a temperature: %s", (model, takes) => {
    const body = asked({ temperature: 1.7, top_p: 0.5, reasoning_effort: "minimal" }, model);
    expect([body.temperature, body.top_p, body.output_config?.effort]).toEqual(
      takes ? [1, undefined, undefined] : [undefined, undefined, "low"],
    );
  });

  it("[OA3] takes top_p where no temperature is given", () => expect(asked({ top_p: 0.5 }, OLD)).toMatchObject({ top_p: 0.5 }));

  it.each([
    [{}, MODEL, 16_384],
    [{}, "claude-3-haiku-20240307", 4_096],
    [{ max_tokens: 5 }, MODEL, 5],
    [{ max_tokens: 5, max_completion_tokens: 7 }, MODEL, 7],
  ])("[OA3] %j with %s gives %i tokens at most", (fields, model, tokens) => expect(asked(fields, model).max_tokens).toBe(tokens));
});

describe("tools", () => {
  const tools = [tool("a"), tool("b", { description: "B", parameters: null })];
  const choice = (toolChoice: unknown, model = MODEL, more: object = {}) => asked({ tools, tool_choice: toolChoice, ...more }, model);

  it("[OA3] are given with a schema, also where they have none", () => {
    expect(asked({ tools }).tools).toEqual([
      { name: "a", input_schema: { type: "object" } },
      { name: "b", description: "B", input_schema: { type: "object", properties: {} } },
    ]);
  });

  it.each([
    [undefined, { type: "auto" }],
    ["auto", { type: "auto" }],
    ["none", { type: "none" }],
    ["required", { type: "any" }],
    [
      { type: "function", function: { name: "b" } },
      { type: "tool", name: "b" },
    ],
  ])("[OA3] are chosen: %j", (given, expected) => expect(choice(given).tool_choice).toEqual(expected));

  it("[OA3] are called one at a time where that is asked for", () => {
    expect(choice("required", MODEL, { parallel_tool_calls: false }).tool_choice).toEqual({ type: "any", disable_parallel_tool_use: true });
  });

  it("[OA3] are only those that are allowed", () => {
    const allowed = { type: "allowed_tools", allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "b" } }] } };
    const body = choice(allowed);
    expect([body.tools?.length, body.tool_choice]).toEqual([1, { type: "any" }]);
  });

  it.each(["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1", "claude-haiku-6"])(
    "[OA3] are asked for in words where %s cannot be made to",
    (model) => {
      const body = choice({ type: "function", function: { name: "b" } }, model);
      expect(body.tool_choice).toEqual({ type: "auto" });
      expect(body.system).toContain("the tool b");
    },
  );

  it.each(["claude-opus-5", "claude-opus-5-20260101", "claude-opus-4-8", OLD])("[OA3] are forced where %s can be made to", (model) => {
    expect(choice("required", model).tool_choice).toEqual({ type: "any" });
  });
});

describe("schemas", () => {
  it("[OA3] keep what can be guaranteed and say the rest in words", () => {
    const schema = {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      properties: {
        name: { type: ["string", "null"], description: "Who", minLength: 2 },
        kind: { type: "string", enum: ["a", "b"] },
        type: { $ref: "#/definitions/Inner" },
      },
      definitions: { Inner: { type: "object", properties: { n: { type: "integer", minimum: 1 } }, required: ["n"] } },
      required: ["name"],
    };
    expect(toOutputSchema(schema)).toEqual({
      type: "object",
      properties: {
        name: { description: "Who", anyOf: [{ type: "string", description: "{minLength: 2}" }, { type: "null" }] },
        kind: { enum: ["a", "b"] },
        type: { $ref: "#/$defs/Inner" },
      },
      $defs: {
        Inner: {
          type: "object",
          properties: { n: { type: "integer", description: "{minimum: 1}" } },
          additionalProperties: false,
          required: ["n"],
        },
      },
      additionalProperties: false,
      required: ["name"],
    });
  });

  it("[OA3] without a type are refused for an answer, and not guaranteed for a tool", () => {
    expect(toOutputSchema({ properties: { a: {} } })).toBeNull();
    const body = asked({ tools: [tool("a", { strict: true, parameters: { type: "object", properties: { a: {} } } })] });
    expect(body.tools).toEqual([{ name: "a", input_schema: { type: "object", properties: { a: {} } } }]);
  });

  it("never throw, whatever they are", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("type", "properties", "items", "anyOf", "$ref", "$defs", "enum", "definitions", "x"), fc.jsonValue()),
        (schema) => void toOutputSchema(schema),
      ),
    );
  });
});

describe("requests", () => {
  it("[OA2] of any shape are answered or refused, and nothing else", () => {
    const keys = ["messages", "tools", "tool_choice", "response_format", "stop", "n", "max_tokens", "stream", "metadata", "user"];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()), (fields) => {
        const parsed = chatRequestSchema.safeParse({ model: MODEL, messages: [hi], ...fields });
        if (!parsed.success) return;
        try {
          toAnthropic(parsed.data, MODEL, null);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
    );
  });
});
