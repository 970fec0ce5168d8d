import { describe, expect, it } from "vitest";
import { NO_TOKENS } from "./prices.ts";
import { relay } from "./relay.ts";
import type { UsageTap } from "./usage-tap.ts";

const tapInto = (seen: number[]): UsageTap => ({
  push: (chunk) => void seen.push(...chunk),
  counts: () => NO_TOKENS,
  model: () => null,
});

/** A provider that gives one byte each time it is asked. */
function provider(total: number) {
  const state = { pulled: 0, isCancelled: false };
  const source = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        state.pulled += 1;
        controller.enqueue(Uint8Array.of(state.pulled));
        if (state.pulled === total) controller.close();
      },
      cancel() {
        state.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { source, state };
}
const isOver = async (over: Promise<void>) =>
  Promise.race([over.then(() => true), new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 0))]);

describe("an answer that passes by", () => {
  it("arrives whole, is seen by the tap, and is over at its end", async () => {
    const seen: number[] = [];
    const { source } = provider(3);
    const { body, over } = relay(source, tapInto(seen), new AbortController());
    expect([...new Uint8Array(await new Response(body).arrayBuffer())]).toEqual([1, 2, 3]);
    await over;
    expect(seen).toEqual([1, 2, 3]);
  });

  it("is read only as fast as the client reads", async () => {
    const { source, state } = provider(1_000);
    const { body, over } = relay(source, tapInto([]), new AbortController());
    const reader = body.getReader();
    await reader.read();
    await reader.read();
    expect(state.pulled).toBe(2);
    expect(await isOver(over)).toBe(false);
  });

  it("cancels the provider and is over when the client leaves", async () => {
    const { source, state } = provider(1_000);
    const abort = new AbortController();
    const { body, over } = relay(source, tapInto([]), abort);
    const reader = body.getReader();
    await reader.read();
    await reader.cancel("gone");
    await over;
    expect([state.isCancelled, abort.signal.aborted]).toEqual([true, true]);
  });

  it("is over when the client's request is aborted before it reads", async () => {
    const abort = new AbortController();
    const { over } = relay(provider(10).source, tapInto([]), abort);
    abort.abort();
    await over;
  });

  it("is over, and fails for the client, when the provider breaks off", async () => {
    const source = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("reset")) });
    const { body, over } = relay(source, tapInto([]), new AbortController());
    await expect(new Response(body).text()).rejects.toThrow("reset");
    await over;
  });
});
