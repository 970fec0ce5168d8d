import { describe, expect, it } from "vitest";
import { dialectCostUsd, dialectEstimateUsd, thinksUnseen, type PricedCall } from "./dialect-prices.ts";
import { dialectJsonTap, dialectStreamTap } from "./dialect-tap.ts";
import { NO_TOKENS } from "./prices.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const chunk = (delta: string, extra: object = {}) =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [{ index: 0, delta: { content: delta } }], ...extra })}\n\n`;
const USAGE = { prompt_tokens: 100, completion_tokens: 25, prompt_tokens_details: { cached_tokens: 60 } };
const END = `data: ${JSON.stringify({ model: "gpt-4o-2024-08-06", choices: [], usage: USAGE })}\n\ndata: [DONE]\n\n`;
const COUNTED = { ...NO_TOKENS, inputTokens: 40, outputTokens: 25, cacheReadTokens: 60 };

describe("[MP7] the usage of a streamed answer in OpenAI's dialect", () => {
  it.each([1, 2, 3, 7, 64, 100_000])("is read the same in pieces of %i bytes", (size) => {
    const tap = dialectStreamTap();
    const all = bytes(`: OPENROUTER PROCESSING\n\n${chunk("grüße 😀", { usage: null })}${END}`);
    for (let at = 0; at < all.length; at += size) tap.push(all.subarray(at, at + size));
    expect([tap.counts(), tap.model(), tap.isReported(), tap.reportedUsd()]).toEqual([COUNTED, "gpt-4o-2024-08-06", true, null]);
  });

  it("is not taken from words that look like it", () => {
    const tap = dialectStreamTap();
    tap.push(bytes(chunk('"usage":{"prompt_tokens":9}') + chunk("data: [DONE]")));
    expect(tap.isReported()).toBe(false);
  });

  it("is estimated from its size where none comes", () => {
    const tap = dialectStreamTap();
    tap.push(bytes(chunk("") + chunk("x".repeat(400)) + chunk("x".repeat(40))));
    expect(tap.counts()).toEqual({ ...NO_TOKENS, outputTokens: 3 + 110 });
  });

  it("survives a line of 10 MB", () => {
    const tap = dialectStreamTap();
    for (let piece = 0; piece < 160; piece += 1) tap.push(bytes("data: x".repeat(9_362)));
    tap.push(bytes(`\n\n${END}`));
    expect(tap.counts()).toEqual(COUNTED);
  });

  it.each(['data: {"usage":{"prompt_tokens":-1}}', 'data: {"usage":{"cost":"1"}}', 'data: {"usage":{', "data: null"])(
    "ignores %s",
    (line) => {
      const tap = dialectStreamTap();
      tap.push(bytes(`${line}\n\n`));
      expect(tap.isReported()).toBe(false);
    },
  );
});

describe("[MP7] the usage of an answer in one piece", () => {
  it("is read at its end, with what the provider says that it cost", () => {
    const tap = dialectJsonTap();
    const usage = { ...USAGE, cost: 0.01, is_byok: true, cost_details: { upstream_inference_cost: 0.2 } };
    for (const byte of bytes(JSON.stringify({ model: "x/y", choices: [], usage }))) tap.push(Uint8Array.of(byte));
    expect([tap.counts(), tap.reportedUsd()]).toEqual([COUNTED, expect.closeTo(0.21, 9)]);
  });

  it("leaves out what another provider is paid with OpenRouter's own credit, for that is in the cost", () => {
    const tap = dialectJsonTap();
    tap.push(bytes(JSON.stringify({ usage: { ...USAGE, cost: 0.01, is_byok: false, cost_details: { upstream_inference_cost: 0.01 } } })));
    expect(tap.reportedUsd()).toBe(0.01);
  });

  it("is estimated when it cannot be read", () => {
    const tap = dialectJsonTap();
    tap.push(bytes("<html>"));
    expect(tap.counts()).toEqual({ ...NO_TOKENS, outputTokens: 2 });
  });
});

describe("[MP7] what a call costs", () => {
  const million = { ...NO_TOKENS, inputTokens: 1_000_000, outputTokens: 1_000_000 };
  const call = (provider: PricedCall["provider"], model: string, extra: Partial<PricedCall> = {}): PricedCall => ({
    provider,
    model,
    customPrice: null,
    isFree: false,
    isPriority: false,
    ...extra,
  });

  it.each([
    [call("openai", "gpt-4o-mini"), 0.75],
    [call("openai", "gpt-4o-mini", { isPriority: true }), 0.75 * 2.5],
    [call("openai", "gpt-4.1-2025-04-14"), 10],
    [call("openai", "gpt-5.5"), 70],
    [call("openai", "o3"), 10],
    [call("openai", "ft:gpt-4o-mini-2024-07-18:me::abc"), 1.5],
    [call("openai", "gpt-9-unheard-of"), 210],
    [call("openrouter", "openai/gpt-4o"), 12.5],
    [call("openrouter", "anthropic/claude-sonnet-5"), 18],
    [call("openrouter", "somebody/model"), 210],
    [call("openrouter", "somebody/model:free"), 0],
    [call("custom", "llama"), 210],
    [call("custom", "llama", { customPrice: { inputUsd: 0, outputUsd: 0 } }), 0],
    [call("custom", "llama", { customPrice: { inputUsd: 0.5, outputUsd: 1 } }), 1.5],
    [call("custom", "llama", { isFree: true }), 0],
  ])("of a million tokens each way: %o", (priced, usd) => expect(dialectCostUsd(priced, million, null)).toBeCloseTo(usd, 9));

  it("is what OpenRouter says, and not what anybody else says", () => {
    expect(dialectCostUsd(call("openrouter", "a/b"), million, 0.5)).toBe(0.5);
    expect(dialectCostUsd(call("openai", "gpt-4o"), million, 0)).toBeCloseTo(12.5, 9);
    expect(dialectCostUsd(call("custom", "x"), million, 0)).toBeCloseTo(210, 9);
  });

  it("is held for at most 16,000 tokens of output", () => {
    expect(dialectEstimateUsd(call("openai", "gpt-4o"), 0, null)).toBeCloseTo(0.16, 9);
    expect(dialectEstimateUsd(call("openai", "gpt-4o"), 0, 100)).toBeCloseTo(0.001, 9);
  });

  it("of models that think unseen cannot be told from what is seen", () => {
    expect(["gpt-5-mini", "o3", "ft:o4-mini", "gpt-4o"].map((model) => thinksUnseen(call("openai", model)))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});
