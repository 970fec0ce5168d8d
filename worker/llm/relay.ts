/**
 * Passes an answer on while something reads along, and says once when it is over: to its end, cut off by the provider, or left by
 * the client. Reads from the provider only as fast as the client reads, and cancels it when the client goes.
 */
import type { UsageTap } from "./usage-tap.ts";

export interface Relay {
  body: ReadableStream<Uint8Array>;
  /** Resolves when the answer is over in any of the three ways; never rejects. */
  over: Promise<void>;
}

/** What becomes of an answer's pieces. Null: nothing is said for it. */
export interface Translator {
  push(chunk: Uint8Array): Uint8Array | null;
  /** The provider has ended. */
  end(): Uint8Array | null;
  /** The provider broke off; null: the client's stream breaks as well. */
  broken(message: string): Uint8Array | null;
  /** Nothing that still comes counts. */
  readonly isBroken: boolean;
}

/** Untouched, with a tap that reads along. */
export function relay(source: ReadableStream<Uint8Array>, tap: UsageTap, abort: AbortController): Relay {
  const untouched: Translator = {
    push(chunk) {
      tap.push(chunk);
      return chunk;
    },
    end: () => null,
    broken: () => null,
    isBroken: false,
  };
  return translated(source, untouched, abort);
}

/** `idleMs`: a provider that says nothing for so long, while it is asked, has broken off. */
export function translated(source: ReadableStream<Uint8Array>, translator: Translator, abort: AbortController, idleMs = 0): Relay {
  const reader = source.getReader();
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const watch = new IdleWatch(idleMs, () => abort.abort());
  const end = () => {
    watch.stop();
    resolve();
  };
  abort.signal.addEventListener("abort", end);
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { last, isOver } = await nextPiece(reader, translator, watch);
          if (isOver) end();
          if (last !== null) controller.enqueue(last);
          if (isOver) controller.close();
          if (isOver && translator.isBroken) abort.abort();
        } catch (error) {
          end();
          const last = translator.broken("The model's answer was cut off.");
          if (last === null) return controller.error(error);
          controller.enqueue(last);
          controller.close();
          abort.abort();
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

/** Reads on until there is something to say: a stream that is asked once is not asked again before it was given something. */
async function nextPiece(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  translator: Translator,
  watch: IdleWatch,
): Promise<{ last: Uint8Array | null; isOver: boolean }> {
  for (;;) {
    watch.asked();
    const { done, value } = await reader.read();
    watch.answered();
    if (done) return { last: translator.end(), isOver: true };
    const last = translator.push(value);
    if (last !== null || translator.isBroken) return { last, isOver: translator.isBroken };
  }
}

/** One timer for a whole answer: a timer for each of its thousands of pieces would cost more than they do. */
class IdleWatch {
  readonly #idleMs: number;
  readonly #onIdle: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Null: nothing is awaited. A client that does not read is no fault of the provider's. */
  #askedAt: number | null = null;

  /** `idleMs` 0: never. */
  constructor(idleMs: number, onIdle: () => void) {
    this.#idleMs = idleMs;
    this.#onIdle = onIdle;
    if (idleMs > 0) this.#look(idleMs);
  }

  asked(): void {
    this.#askedAt = Date.now();
  }

  answered(): void {
    this.#askedAt = null;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #look(inMs: number): void {
    this.#timer = setTimeout(() => {
      const waitedMs = this.#askedAt === null ? 0 : Date.now() - this.#askedAt;
      if (waitedMs >= this.#idleMs) this.#onIdle();
      else this.#look(this.#idleMs - waitedMs);
    }, inMs);
  }
}
