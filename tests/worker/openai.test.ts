import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { clearUpstreamLog, upstreamLog } from "../support/worker/app-client.ts";
import {
  messageOf,
  newProgram,
  sse,
  storyOf,
  streamed,
  textBlock,
  toolBlock,
  until,
  USAGE_USD,
  withProvider,
  type Program,
} from "../support/worker/programs.ts";

let program: Program;
beforeAll(async () => {
  program = await newProgram();
});
beforeEach(clearUpstreamLog);

const hi = { model: "claude-sonnet-5", messages: [{ role: "user" as const, content: "hi" }] };

describe("the official client, in one piece", () => {
  it("[OA1] asks a model by its name and reads the answer, its usage and its ids", async () => {
    const { data, response, request_id: requestId } = await program.openai().chat.completions.create(hi).withResponse();
    expect(data).toMatchObject({
      object: "chat.completion",
      model: "claude-sonnet-5",
      choices: [{ index: 0, finish_reason: "stop", logprobs: null, message: { role: "assistant", content: "Hello.", refusal: null } }],
      usage: {
        prompt_tokens: 6_400,
        completion_tokens: 200,
        total_tokens: 6_600,
        prompt_tokens_details: { cached_tokens: 5_000 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    });
    expect(data.id).toMatch(/^chatcmpl-[0-9a-f]{32}$/);
    expect(requestId).toMatch(/^req_/);
    expect(Number(response.headers.get("x-ratelimit-remaining-requests"))).toBeGreaterThan(0);
    const [record] = await upstreamLog();
    expect(record?.url).toBe("http://upstream.test/v1/messages");
    expect(JSON.parse(record?.body ?? "")).toEqual({
      model: "claude-sonnet-5",
      max_tokens: 16_384,
      stream: false,
      messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
    });
  });

  it.each([
    ["sonnet", "claude-sonnet-5"],
    ["opus", "claude-opus-5-5"],
    ["anthropic/claude-haiku-4-5", "claude-haiku-4-5"],
  ])("[OA1] knows %s as %s", async (name, model) => {
    expect((await program.openai().chat.completions.create({ ...hi, model: name })).model).toBe(model);
  });

  it("[OA6] settles what the provider counted, once", async () => {
    const paying = await newProgram();
    await paying.openai().chat.completions.create(hi);
    await until(async () => (await paying.spentUsd()) > 0);
    expect(await paying.spentUsd()).toBeCloseTo(USAGE_USD, 9);
  });
});

describe("the official client, streaming", () => {
  it("[OA4] gets a role, the text, a reason, and usage where it asks", async () => {
    const stream = await program.openai().chat.completions.create({ ...hi, stream: true, stream_options: { include_usage: true } });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe("Hello.");
    expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 6_400, completion_tokens: 200, total_tokens: 6_600 } });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it("[OA4] leaves usage out where nobody asks", async () => {
    for await (const chunk of await program.openai().chat.completions.create({ ...hi, stream: true })) expect("usage" in chunk).toBe(false);
  });

  it("[OA4] works with the stream helper", async () => {
    const seen: string[] = [];
    const runner = program
      .openai()
      .chat.completions.stream(hi)
      .on("content", (delta) => seen.push(delta));
    expect(await runner.finalContent()).toBe("Hello.");
    expect(seen.join("")).toBe("Hello.");
    expect((await runner.finalChatCompletion()).choices[0]?.finish_reason).toBe("stop");
  });

  it("[OA6] settles at the end of the stream", async () => {
    const paying = await newProgram();
    for await (const _ of await paying.openai().chat.completions.create({ ...hi, stream: true }));
    await until(async () => (await paying.spentUsd()) > 0);
    expect(await paying.spentUsd()).toBeCloseTo(USAGE_USD, 9);
  });

  it("[OA4] hides thinking, counts it, and keeps the connection alive meanwhile", async () => {
    const thinking = [
      { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Hm." } },
      { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "c2ln" } },
      { type: "content_block_stop", index: 0 },
      { type: "ping" },
    ];
    const text = await withProvider(
      () => streamed(sse(storyOf([...thinking, ...textBlock("Yes.")]))),
      async () => (await program.post("/v1/chat/completions", { ...hi, stream: true })).text(),
    );
    expect(text).not.toContain("Hm.");
    expect(text).toContain('"content":"Yes."');
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  });
});

const weather = zodFunction({ name: "weather", parameters: z.object({ city: z.string() }), function: ({ city }) => `${city}: 7 degrees` });

describe("tools", () => {
  it("[OA3,OA4] go there and back in one piece", async () => {
    const asked: Record<string, unknown>[] = [];
    const call = { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Graz" } };
    const answer = await withProvider(
      ({ body }) => {
        asked.push(body);
        const isFirst = asked.length === 1;
        return Response.json(
          messageOf(isFirst ? [{ type: "text", text: "Let me look." }, call] : [{ type: "text", text: "7 degrees." }], {
            stop_reason: isFirst ? "tool_use" : "end_turn",
          }),
        );
      },
      async () => {
        const runner = program.openai().chat.completions.runTools({ ...hi, tools: [weather] });
        return runner.finalContent();
      },
    );
    expect(answer).toBe("7 degrees.");
    expect(asked[0]).toMatchObject({
      tools: [
        { name: "weather", strict: true, input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } },
      ],
      tool_choice: { type: "auto" },
    });
    expect(asked[1]?.messages).toEqual([
      { role: "user", content: [{ type: "text", text: "hi" }] },
      { role: "assistant", content: [{ type: "text", text: "Let me look." }, call] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "Graz: 7 degrees" }] },
    ]);
  });

  it("[OA4] stream their arguments, several at once", async () => {
    const blocks = [
      ...textBlock("Two."),
      ...toolBlock(1, "toolu_a", "weather", '{"ci', 'ty":"Graz"}'),
      ...toolBlock(2, "toolu_b", "weather", "", '{"city":"Wien"}'),
    ];
    const stream = await withProvider(
      () => streamed(sse(storyOf(blocks, { stopReason: "tool_use" }))),
      async () =>
        program
          .openai()
          .chat.completions.stream({ ...hi, tools: [weather] })
          .finalChatCompletion(),
    );
    expect(stream.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: {
        content: "Two.",
        tool_calls: [
          { id: "toolu_a", type: "function", function: { name: "weather", arguments: '{"city":"Graz"}' } },
          { id: "toolu_b", type: "function", function: { name: "weather", arguments: '{"city":"Wien"}' } },
        ],
      },
    });
  });

  it("[OA3,OA4] run to the end while streaming", async () => {
    let calls = 0;
    const content = await withProvider(
      () => {
        calls += 1;
        return streamed(
          sse(
            calls === 1
              ? storyOf(toolBlock(0, "toolu_1", "weather", '{"city":"Graz"}'), { stopReason: "tool_use" })
              : storyOf(textBlock("7.")),
          ),
        );
      },
      () =>
        program
          .openai()
          .chat.completions.runTools({ ...hi, stream: true, tools: [weather] })
          .finalContent(),
    );
    expect([content, calls]).toEqual(["7.", 2]);
  });
});

describe("structured outputs", () => {
  const step = z.object({ explanation: z.string(), output: z.string().nullable(), score: z.number().min(0).max(10) });
  const solution = z.object({ steps: z.array(step), answer: z.string() });
  const written = { steps: [{ explanation: "halve", output: null, score: 3 }], answer: "21" };

  it("[OA3] are guaranteed by the provider's own, and parsed by the client", async () => {
    let asked: Record<string, unknown> = {};
    const answer = await withProvider(
      ({ body }) => {
        asked = body;
        return Response.json(messageOf([{ type: "text", text: JSON.stringify(written) }]));
      },
      () => program.openai().chat.completions.parse({ ...hi, response_format: zodResponseFormat(solution, "solution") }),
    );
    expect(answer.choices[0]?.message.parsed).toEqual(written);
    const { format } = asked.output_config as { format: { type: string; schema: Record<string, unknown> } };
    expect(format.type).toBe("json_schema");
    expect(format.schema).toMatchObject({ type: "object", additionalProperties: false, required: ["steps", "answer"] });
    expect(JSON.stringify(format.schema)).not.toContain('"minimum":');
  });

  it("[OA3] ask in words for any JSON object", async () => {
    await program.openai().chat.completions.create({ ...hi, response_format: { type: "json_object" } });
    expect(JSON.parse((await upstreamLog())[0]?.body ?? "").system).toContain("valid JSON object");
  });
});

describe("pictures", () => {
  it("[OA3] are sent as bytes or by address", async () => {
    await program.openai().chat.completions.create({
      ...hi,
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
            { type: "image_url", image_url: { url: "https://example.com/cat.jpg", detail: "low" } },
          ],
        },
      ],
    });
    expect(JSON.parse((await upstreamLog())[0]?.body ?? "").messages[0].content).toEqual([
      { type: "text", text: "What is this?" },
      { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } },
      { type: "image", source: { type: "url", url: "https://example.com/cat.jpg" } },
    ]);
  });
});

describe("an Idempotency-Key", () => {
  const count = async () => (await upstreamLog()).length;

  it.each([false, true])("[AT6] asks the provider once and answers the same (stream: %s)", async (stream) => {
    const headers = { "idempotency-key": `once-${String(stream)}` };
    const ask = async (body: object) => program.post("/v1/chat/completions", body, headers);
    const first = await (await ask({ ...hi, stream })).text();
    await until(async () => (await ask({ ...hi, stream })).headers.get("idempotent-replayed") === "true");
    expect(await (await ask({ ...hi, stream })).text()).toBe(first);
    expect(await count()).toBe(1);
    const other = await ask({ ...hi, stream, max_tokens: 5 });
    expect([other.status, (await other.json<{ error: { code: string } }>()).error.code]).toEqual([409, "idempotency_conflict"]);
  });
});
