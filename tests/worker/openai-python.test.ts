import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import recordedText from "../conformance/python-requests.json?raw";
import { clearUpstreamLog, upstreamLog } from "../support/worker/app-client.ts";
import { newProgram, type Program } from "../support/worker/programs.ts";

let program: Program;
beforeAll(async () => {
  program = await newProgram({ models: ["claude-sonnet-5"] });
});
beforeEach(clearUpstreamLog);

const requestSchema = z.object({
  name: z.string(),
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.string().nullable(),
});
type Recorded = z.infer<typeof requestSchema>;
const recorded = z.object({ client: z.string(), requests: z.array(requestSchema) }).parse(JSON.parse(recordedText));

/** The same bytes and headers, with a token of ours. The runtime makes the connection's own headers. */
const replay = ({ method, path, headers, body }: Recorded) => {
  const sent = Object.entries(headers).filter(([name]) => name !== "connection");
  return program.fetch(path, { method, headers: Object.fromEntries(sent), body });
};
const chats = recorded.requests.filter(({ path }) => path === "/v1/chat/completions");
const one = (name: string): Recorded => {
  const found = recorded.requests.find((request) => request.name === name);
  if (found === undefined) throw new Error(`not recorded: ${name}`);
  return found;
};
const asked = async (name: string): Promise<Record<string, unknown>> => {
  await (await replay(one(name))).text();
  return JSON.parse((await upstreamLog()).at(-1)?.body ?? "{}");
};

describe(`what ${recorded.client} sends`, () => {
  it("is known in all that it does", () => expect(chats.length).toBeGreaterThan(10));

  it.each(chats.map((request) => [request.name, request] as const))("[OA2] is taken: %s", async (_, request) => {
    const response = await replay(request);
    expect(response.status).toBe(200);
    const isStream = request.body?.includes('"stream":true') ?? false;
    expect(response.headers.get("content-type")).toContain(isStream ? "text/event-stream" : "application/json");
    expect(response.headers.get("content-encoding")).toBeNull();
    const text = await response.text();
    expect(text).toContain(isStream ? "data: [DONE]" : '"object":"chat.completion"');
  });

  it("[OA3] keeps its text", async () => {
    expect(await asked("plain")).toMatchObject({ messages: [{ role: "user", content: [{ type: "text", text: "Grüße 😀\u2028" }] }] });
  });

  it("[OA3] says what its parameters say", async () => {
    const body = await asked("parameters");
    expect(body).toMatchObject({ system: "Be brief.", max_tokens: 64, stop_sequences: ["END"], output_config: { effort: "low" } });
    expect(body.metadata).toEqual({ user_id: expect.stringMatching(/^[0-9a-f]{64}$/) });
    // This model takes neither.
    expect([body.temperature, body.top_p, body.seed]).toEqual([undefined, undefined, undefined]);
  });

  it("[OA3] takes a null for nothing", async () => {
    expect(Object.keys(await asked("explicit nulls")).toSorted()).toEqual(["max_tokens", "messages", "model", "stream"]);
  });

  it("[OA3] gives a tool's result in the turn after its call", async () => {
    expect(await asked("tool result, message given back as it came")).toMatchObject({
      messages: [
        { role: "user" },
        { role: "assistant", content: [{ type: "tool_use", id: "call_abc", name: "weather", input: { city: "Graz" } }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "call_abc", content: "7 degrees" }] },
      ],
    });
  });

  it("[OA3] has its pydantic models guaranteed", async () => {
    const format = { type: "json_schema", schema: { type: "object", additionalProperties: false, required: ["answer", "note"] } };
    expect(await asked("parse with a pydantic model")).toMatchObject({ output_config: { format } });
    expect(await asked("parse with a pydantic tool")).toMatchObject({
      tools: [{ name: "Answer", strict: true, input_schema: { required: ["answer", "note"] } }],
    });
  });

  it("[OA7] lists models", async () => {
    expect(await (await replay(one("models"))).json()).toMatchObject({
      object: "list",
      data: [{ id: "claude-sonnet-5", object: "model" }],
    });
  });
});
