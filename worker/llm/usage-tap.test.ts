import { describe, expect, it } from "vitest";
import { costUsd, estimateUsd, NO_TOKENS } from "./prices.ts";
import { jsonTap, streamTap } from "./usage-tap.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const event = (data: object) => `event: x\ndata: ${JSON.stringify(data)}\n\n`;
const START = event({
  type: "message_start",
  message: {
    model: "claude-sonnet-5",
    usage: { input_tokens: 10, output_tokens: 1, cache_read_input_tokens: 7, cache_creation_input_tokens: 3 },
  },
});
const text = (chars: number) => event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "ü".repeat(chars) } });
const END = event({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 25 } });
const FULL = { ...NO_TOKENS, inputTokens: 10, outputTokens: 25, cacheReadTokens: 7, cacheWriteTokens: 3 };

describe("a streamed answer", () => {
  it.each([1, 2, 3, 7, 64, 100_000])("is counted the same in pieces of %i bytes", (size) => {
    const tap = streamTap();
    const all = bytes(`: comment\n\n${START}event: ping\ndata: {"type":"ping"}\n\n${text(9)}${END}`);
    for (let at = 0; at < all.length; at += size) tap.push(all.subarray(at, at + size));
    expect([tap.counts(), tap.model()]).toEqual([FULL, "claude-sonnet-5"]);
  });

  it("is counted with CRLF line ends", () => {
    const tap = streamTap();
    tap.push(bytes((START + END).replaceAll("\n", "\r\n")));
    expect(tap.counts()).toEqual(FULL);
  });

  it("takes the last report where there are several", () => {
    const tap = streamTap();
    tap.push(bytes(START + END + event({ type: "message_delta", usage: { output_tokens: 30, input_tokens: 12 } })));
    expect(tap.counts()).toEqual({ ...FULL, outputTokens: 30, inputTokens: 12 });
  });

  it("estimates the output of an answer that was cut off from what was streamed", () => {
    const tap = streamTap();
    tap.push(bytes(START + text(400)));
    expect(tap.counts()).toEqual({ ...FULL, outputTokens: 100 });
  });

  it("skips a line of 10 MB and reads on", () => {
    const tap = streamTap();
    tap.push(bytes(START + "data: "));
    for (let piece = 0; piece < 160; piece += 1) tap.push(bytes("x".repeat(65_536)));
    tap.push(bytes(`\n\n${END}`));
    expect(tap.counts()).toEqual(FULL);
  });

  it.each([
    "data: {",
    "data: null",
    "data: []",
    'data: {"type":"message_delta","usage":{"output_tokens":-5}}',
    'data: {"type":"message_delta","usage":{"output_tokens":"9"}}',
    "data:",
  ])("ignores %s", (line) => {
    const tap = streamTap();
    tap.push(bytes(`${START}${line}\n\n`));
    expect(tap.counts()).toEqual({ ...FULL, outputTokens: 1 });
  });
});

describe("an answer in one piece", () => {
  it("is counted at its end, in any pieces", () => {
    const all = bytes(
      JSON.stringify({
        model: "claude-haiku-4-5",
        content: [{ text: "ü" }],
        usage: { input_tokens: 10, output_tokens: 25, cache_read_input_tokens: 7, cache_creation_input_tokens: 3 },
      }),
    );
    const tap = jsonTap();
    for (const byte of all) tap.push(Uint8Array.of(byte));
    expect([tap.counts(), tap.model()]).toEqual([FULL, "claude-haiku-4-5"]);
  });

  it("counts nothing when it cannot be read", () => {
    const tap = jsonTap();
    tap.push(bytes("<html>"));
    expect(tap.counts().outputTokens).toBe(0);
  });
});

describe("prices", () => {
  const tokens = { ...NO_TOKENS, inputTokens: 1_000_000, outputTokens: 1_000_000, cacheReadTokens: 1_000_000, cacheWriteTokens: 1_000_000 };
  it.each([
    ["claude-opus-5-5", 4 + 5 + 0.4 + 20],
    ["claude-sonnet-5", 3 + 3.75 + 0.3 + 15],
    ["claude-haiku-4-5-20251001", 1 + 1.25 + 0.1 + 5],
    ["claude-opus-4-1", 15 + 18.75 + 1.5 + 75],
    ["something-unknown", 15 + 18.75 + 1.5 + 75],
  ])("of a million tokens of each kind with %s", (model, usd) => expect(costUsd(model, tokens)).toBeCloseTo(usd, 9));

  it("include web searches and the dearer hour of cache", () => {
    const tap = streamTap();
    const usage = {
      input_tokens: 0,
      output_tokens: 0,
      cache_creation_input_tokens: 1_000_000,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 1_000_000 },
    };
    tap.push(
      bytes(
        event({ type: "message_start", message: { usage } }) +
          event({ type: "message_delta", usage: { output_tokens: 0, server_tool_use: { web_search_requests: 3 } } }),
      ),
    );
    expect(costUsd("claude-sonnet-5", tap.counts())).toBeCloseTo(6 + 0.03, 9);
  });

  it("holds input by size and at most 16,000 tokens of output", () => {
    expect(estimateUsd("claude-sonnet-5", 4_000_000, 100)).toBeCloseTo(3 + 0.0015, 9);
    expect(estimateUsd("claude-sonnet-5", 0, 128_000)).toBeCloseTo(0.24, 9);
  });
});
