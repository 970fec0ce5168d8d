import { describe, expect, it, vi } from "vitest";
import { NO_TOKENS } from "./prices.ts";
import { relay, translated, type Translator } from "./relay.ts";
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

describe("a translated answer", () => {
  const translator = (over: Partial<Translator> = {}): Translator => ({
    push: (chunk) => chunk,
    end: () => Uint8Array.of(99),
    broken: () => Uint8Array.of(88),
    isBroken: false,
    ...over,
  });
  const bytes = async (body: ReadableStream<Uint8Array>) => [...new Uint8Array(await new Response(body).arrayBuffer())];

  it("reads on where a piece says nothing, and has the last word", async () => {
    const { source } = provider(5);
    const { body, over } = translated(
      source,
      translator({ push: ([byte = 0]) => (byte % 2 === 0 ? Uint8Array.of(byte) : null) }),
      new AbortController(),
    );
    expect(await bytes(body)).toEqual([2, 4, 99]);
    await over;
  });

  it("[OA5] ends in words where the provider breaks off", async () => {
    const source = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("reset")) });
    expect(await bytes(translated(source, translator(), new AbortController()).body)).toEqual([88]);
  });

  it("[OA5] ends where the provider says that it broke, and cancels it", async () => {
    const state = { isBroken: false };
    const { source } = provider(9);
    const abort = new AbortController();
    const broken: Translator = {
      ...translator(),
      push: (chunk) => {
        state.isBroken = chunk[0] === 2;
        return chunk;
      },
      get isBroken() {
        return state.isBroken;
      },
    };
    expect(await bytes(translated(source, broken, abort).body)).toEqual([1, 2]);
    expect(abort.signal.aborted).toBe(true);
  });

  it("[OA5] cancels a provider that says nothing for too long while it is asked, and no other", async () => {
    vi.useFakeTimers();
    try {
      const asked: (() => void)[] = [];
      const abort = new AbortController();
      const source = new ReadableStream<Uint8Array>(
        {
          pull: (controller) =>
            new Promise((resolve, reject) => {
              abort.signal.addEventListener("abort", () => reject(new Error("aborted")));
              asked.push(() => {
                controller.enqueue(Uint8Array.of(1));
                resolve();
              });
            }),
        },
        { highWaterMark: 0 },
      );
      const { body, over } = translated(source, translator(), abort, 1_000);
      const reader = body.getReader();
      // A client that does not read for long is no fault of the provider's.
      await vi.advanceTimersByTimeAsync(5_000);
      const first = reader.read();
      await vi.advanceTimersByTimeAsync(500);
      asked.shift()?.();
      expect((await first).value).toEqual(Uint8Array.of(1));
      const second = reader.read();
      await vi.advanceTimersByTimeAsync(900);
      expect(abort.signal.aborted).toBe(false);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(abort.signal.aborted).toBe(true);
      await over;
      expect((await second).value).toEqual(Uint8Array.of(88));
    } finally {
      vi.useRealTimers();
    }
  });
});
