import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finishReason, StreamTranslator, toCompletion } from "./from-anthropic.ts";

const translator = (includeUsage = false) =>
  new StreamTranslator({ model: "claude-sonnet-5", createdS: 1, includeUsage, problem: (type, message) => ({ error: { type, message } }) });

interface Choice {
  delta: { content?: string; role?: string; tool_calls?: { index: number; id?: string; function: { name?: string; arguments: string } }[] };
  finish_reason: string | null;
}
interface Chunk {
  id: string;
  model: string;
  choices?: Choice[];
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
  error?: { type: string; message: string };
}

/** As the official client reads it: events by their blank line, one `data:` line each. */
function read(text: string): { chunks: Chunk[]; isDone: boolean } {
  const data = text
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice("data: ".length));
  expect(data.every((line) => !/[\r\n]/.test(line))).toBe(true);
  return { chunks: data.filter((line) => line !== "[DONE]").map((line) => JSON.parse(line) as Chunk), isDone: data.at(-1) === "[DONE]" };
}

function translate(pieces: readonly Uint8Array[], one = translator()): { text: string; pushed: number; ends: boolean } {
  const decoder = new TextDecoder();
  let text = "";
  let pushed = 0;
  for (const piece of pieces) {
    const out = one.push(piece);
    if (out !== null) pushed += 1;
    if (out !== null) text += decoder.decode(out, { stream: true });
  }
  const last = one.end();
  return { text: last === null ? text : text + decoder.decode(last), pushed, ends: last === null };
}

const start = { type: "message_start", message: { model: "claude-sonnet-5", usage: { input_tokens: 10, output_tokens: 1 } } };
const end = { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } };
const delta = (text: string) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });
const story = (...texts: string[]) => [start, ...texts.map(delta), end, { type: "message_stop" }];
const bytesOf = (events: readonly { type: string }[], lineEnd = "\n") =>
  new TextEncoder().encode(
    events.map((event) => `event: ${event.type}${lineEnd}data: ${JSON.stringify(event)}${lineEnd}${lineEnd}`).join(""),
  );

/** JSON as a provider may write it: with the characters themselves, not their escapes. */
const bytesRaw = (texts: readonly string[], lineEnd: string) => bytesOf(story(...texts), lineEnd);

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((to, index) => bytes.slice(at[index], to));
}
const contentOf = (chunks: readonly Chunk[]) => chunks.map(({ choices }) => choices?.[0]?.delta.content ?? "").join("");

const nasty = fc.constantFrom(
  "data: [DONE]\n\n",
  "\r\n",
  "\r",
  "\n",
  "\u2028",
  "\u2029",
  "😀",
  "👩‍👩‍👧‍👦",
  "\ud83d",
  "\ude00",
  "\u0000",
  "\ufeff",
  '"',
  "\\",
  ": ping",
  "event: error",
);
const text = fc.array(fc.oneof(nasty, fc.string({ unit: "binary" }), fc.string()), { maxLength: 6 }).map((parts) => parts.join(""));

describe("text", () => {
  it("[OA4] arrives identical wherever its bytes are cut and its characters are parted", () => {
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        fc.constantFrom("\n", "\r\n", "\r"),
        (texts, cuts, lineEnd) => {
          const { text: out, ends } = translate(cutAt(bytesRaw(texts, lineEnd), cuts));
          // A lone half of a pair passes as the escape that it is; two halves make the whole again.
          const { chunks, isDone } = read(out);
          expect(contentOf(chunks)).toBe(texts.join(""));
          expect([isDone, ends]).toEqual([true, true]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("[OA4] arrives identical one byte at a time", () => {
    const texts = ["Grüße 😀", "\u2028data: [DONE]\r\n\r\n", "e\u0301"];
    const bytes = bytesOf(story(...texts), "\r\n");
    expect(contentOf(read(translate(Array.from(bytes, (byte) => Uint8Array.of(byte))).text).chunks)).toBe(texts.join(""));
  });

  it("[OA4] of one piece is answered in one piece, as one chunk", () => {
    const bytes = bytesOf(story(...Array.from({ length: 200 }, (_, n) => `word ${n} `)));
    const { text: out, pushed } = translate([bytes]);
    expect(pushed).toBe(1);
    expect(read(out).chunks.filter(({ choices }) => (choices?.[0]?.delta.content ?? "") !== "")).toHaveLength(1);
  });

  it("is read from events of several lines, with comments and unknown fields", () => {
    const raw = `: hello\nid: 7\nretry: 10\nevent: content_block_delta\ndata: {"type":"content_block_delta","index":0,\ndata: "delta":{"type":"text_delta","text":"x"}}\n\n`;
    const one = translator();
    expect(contentOf(read(new TextDecoder().decode(one.push(new TextEncoder().encode(raw)) ?? undefined)).chunks)).toBe("x");
  });
});

const OVERLOADED = { type: "error", error: { type: "overloaded_error", message: "x" } };

describe("an answer that is not whole", () => {
  const broken = (events: readonly { type: string }[]) => read(translate([bytesOf(events)]).text);

  it("[OA5] ends with an error when the provider says so, after what was said until then", () => {
    const { chunks, isDone } = broken([start, delta("Hal"), OVERLOADED, delta("lo")]);
    expect(contentOf(chunks)).toBe("Hal");
    expect(chunks.at(-1)?.error).toEqual({ type: "overloaded_error", message: "x" });
    expect(isDone).toBe(false);
  });

  it("[OA5] ends with an error when the provider just stops", () => {
    const { chunks, isDone } = broken([start, delta("Hal")]);
    expect(chunks.at(-1)?.error?.type).toBe("cut_off");
    expect([isDone, chunks.some(({ choices }) => choices?.[0]?.finish_reason)]).toEqual([false, false]);
  });

  it("[OA6] counts what came until then", () => {
    const one = translator();
    one.push(bytesOf([start, delta("x".repeat(400))]));
    expect(one.counts()).toMatchObject({ inputTokens: 10, outputTokens: 100 });
  });
});

describe("nonsense", () => {
  it("passes by without effect", () => {
    const events = [
      { type: "ping" },
      { type: "content_block_delta" },
      { type: "content_block_delta", index: 0, delta: null },
      { type: "content_block_delta", index: 9, delta: { type: "input_json_delta", partial_json: "{}" } },
      { type: "content_block_start", index: 0, content_block: { type: "tool_use", id: 5 } },
      { type: "message_start", message: null },
      { type: "message_delta", delta: 5 },
      { type: "something_new", data: [] },
    ];
    const one = translator();
    expect(new TextDecoder().decode(one.push(bytesOf(events)) ?? undefined)).toBe(": ping\n\n");
    expect(one.push(new TextEncoder().encode("data: {not json\n\ndata: 5\n\ndata: null\n\ndata\n\n"))).toBeNull();
  });

  it("never throws, whatever comes", () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (pieces) => void translate(pieces)));
    fc.assert(
      fc.property(
        fc.array(fc.json()),
        (values) => void translate([new TextEncoder().encode(values.map((json) => `data: ${json}\n\n`).join(""))]),
      ),
    );
  });
});

describe("reasons", () => {
  it.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["pause_turn", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool_calls"],
    ["refusal", "content_filter"],
    ["something_new", "stop"],
    [null, "stop"],
  ] as const)("[OA4] %s is %s", (reason, expected) => expect(finishReason(reason)).toBe(expected));
});

describe("an answer in one piece", () => {
  it("[OA4] leaves thinking and unknown blocks away", () => {
    const whole = toCompletion(
      {
        model: "m",
        content: [
          { type: "thinking", thinking: "Hm.", signature: "" },
          { type: "text", text: "a" },
          { type: "new_block" },
          { type: "text", text: "b" },
        ],
        stop_reason: "max_tokens",
        usage: {
          input_tokens: 1,
          output_tokens: 9,
          cache_read_input_tokens: 2,
          cache_creation_input_tokens: 3,
          output_tokens_details: { thinking_tokens: 4 },
        },
      },
      1,
    );
    expect(whole?.body.choices[0]).toMatchObject({ message: { content: "ab" }, finish_reason: "length" });
    expect(whole?.body.usage).toEqual({
      prompt_tokens: 6,
      completion_tokens: 9,
      total_tokens: 15,
      prompt_tokens_details: { cached_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 4 },
    });
  });

  it("is no answer without its parts", () => {
    for (const value of [null, 5, {}, { model: "m", content: "x", usage: {} }]) expect(toCompletion(value, 1)).toBeNull();
  });
});
