/**
 * Server-sent events out of an async source. Owns the framing, the pings of a silent stream, the translation of a failure into
 * a last `error` event, and the end: when the client goes, the source's signal fires and `finished` waits for its clean-up.
 * The source is asked for the next piece only when the client has taken the ones before: a slow reader holds nothing here.
 */
import { AppError } from "../errors.ts";
import { createLogger, errorFields } from "../log.ts";

/** Below the idle limits of common proxies, and far below those of clients. */
const PING_MS = 15_000;

const log = createLogger("event-stream");

export interface ServerEvent {
  id?: number;
  event?: string;
  data: unknown;
}

/** JSON has no raw line ends in it, so that one `data:` line carries it. */
export function frameOf({ id, event, data }: ServerEvent): string {
  const head = `${id === undefined ? "" : `id: ${id}\n`}${event === undefined ? "" : `event: ${event}\n`}`;
  return `${head}data: ${JSON.stringify(data)}\n\n`;
}

/** Ignored by every client; keeps the connection warm. */
export const commentOf = (text: string): string => `: ${text.replaceAll(/[\r\n]+/g, " ")}\n\n`;
export const retryOf = (ms: number): string => `retry: ${ms}\n\n`;

export interface StreamOptions {
  /** Of the request: fires when its client is gone. */
  signal: AbortSignal;
  /** How a failure is said in this dialect. */
  failure: (error: AppError) => string;
  headers?: Record<string, string>;
  /** Keeps the Worker alive for the clean-up after the client has gone. */
  waitUntil: (work: Promise<unknown>) => void;
  pingMs?: number;
}

type Source = (signal: AbortSignal) => AsyncIterable<string>;

export function eventStream(source: Source, options: StreamOptions): Response {
  const headers = new Headers({ "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", ...options.headers });
  return new Response(bodyOf(source, options), { headers });
}

function bodyOf(source: Source, { signal, failure, waitUntil, pingMs = PING_MS }: StreamOptions): ReadableStream<Uint8Array> {
  const ends = new AbortController();
  const pieces = guarded(source, AbortSignal.any([signal, ends.signal]), failure);
  const finished = Promise.withResolvers<void>();
  waitUntil(finished.promise);
  const encoder = new TextEncoder();
  // Begun at once: a source that has begun is sure to be ended, also when nobody ever reads.
  let next: Promise<IteratorResult<string>> | null = pieces.next();
  const stop = async () => {
    ends.abort();
    await pieces.return(undefined).catch(() => undefined);
    finished.resolve();
  };
  // A client that goes while nothing is asked of the source is noticed by its request alone.
  signal.addEventListener("abort", () => void stop(), { once: true });
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      next ??= pieces.next();
      const step = await within(next, pingMs);
      if (step === null) return controller.enqueue(encoder.encode(commentOf("ping")));
      next = null;
      if (!step.done) return controller.enqueue(encoder.encode(step.value));
      controller.close();
      finished.resolve();
    },
    cancel: stop,
  });
}

/** Whatever goes wrong is the last thing said. After the client has gone there is nobody to tell. */
async function* guarded(source: Source, signal: AbortSignal, failure: StreamOptions["failure"]): AsyncGenerator<string, void, undefined> {
  try {
    yield* source(signal);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof AppError)) log.error("surprise", errorFields(error));
    yield failure(error instanceof AppError ? error : new AppError("internal"));
  }
}

/** Null when it took longer than this. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Of a request whose answer comes in one piece: what waits for it ends with a refusal that nobody reads, and nobody logs. */
export function clientSignal({ signal }: Request): AbortSignal {
  const ends = new AbortController();
  const leave = () => ends.abort(new AppError("prompt_withdrawn"));
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
  return ends.signal;
}
