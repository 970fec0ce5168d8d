/**
 * Passes an answer through untouched while a tap reads along, and says once when it is over: to its end, cut off by the provider,
 * or left by the client. Reads from the provider only as fast as the client reads, and cancels it when the client goes.
 */
import type { UsageTap } from "./usage-tap.ts";

export interface Relay {
  body: ReadableStream<Uint8Array>;
  /** Resolves when the answer is over in any of the three ways; never rejects. */
  over: Promise<void>;
}

export function relay(source: ReadableStream<Uint8Array>, tap: UsageTap, abort: AbortController): Relay {
  const reader = source.getReader();
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  abort.signal.addEventListener("abort", () => end());
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            end();
            controller.close();
            return;
          }
          tap.push(value);
          controller.enqueue(value);
        } catch (error) {
          end();
          controller.error(error);
        }
      },
      async cancel(reason) {
        end();
        abort.abort(reason);
        // The provider's stream may have failed already; it is over either way.
        await reader.cancel(reason).catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return { body, over };
}
