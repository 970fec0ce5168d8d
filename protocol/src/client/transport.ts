/**
 * Requests of the client: the token, retries, errors. Sends again only what may be sent again: what reads, what removes, and
 * what carries an Idempotency-Key, which it makes itself where the caller brought none. SPEC AD4.
 */
import type * as z from "zod";
import { parseJson, toApiError, ApiError } from "./api-error.ts";
import { queryText, randomKey, sleep, throwIfAborted, type ClientFetch, type ClientResponse, type ClientSignal } from "./platform.ts";

export interface CallOptions {
  signal?: ClientSignal | undefined;
  /** Of the caller's own, so that the same call can be repeated after a crash. Of calls that write. */
  idempotencyKey?: string | undefined;
}

export interface Ask {
  method: "GET" | "POST" | "DELETE";
  path: string;
  query?: Readonly<Record<string, string | number | undefined>>;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
}

export interface TransportOptions {
  baseUrl: string;
  token: string;
  fetch: ClientFetch;
  maxRetries: number;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** An answer that asks to wait longer is given to the caller instead. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/** Grows with the failures in a row, half of it by chance. */
export function backOffMs(failures: number, random = Math.random()): number {
  const whole = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(whole * (0.5 + random / 2));
}

export class Transport {
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  async json<S extends z.ZodType>(ask: Ask, schema: S, options: CallOptions = {}): Promise<z.output<S>> {
    // An answer that breaks off is asked for again too.
    const text = await this.#tried(ask, options, this.#options.maxRetries, (response) => response.text());
    return schema.parse(parseJson(text));
  }

  async nothing(ask: Ask, options: CallOptions = {}): Promise<void> {
    const response = await this.open(ask, options);
    await response.body?.cancel();
  }

  /** The answer, which is a good one; everything else is thrown. `maxRetries`: 0 where the caller comes again by itself. */
  open(ask: Ask, options: CallOptions = {}, maxRetries = this.#options.maxRetries): Promise<ClientResponse> {
    return this.#tried(ask, options, maxRetries, (response) => Promise.resolve(response));
  }

  async #tried<T>(ask: Ask, options: CallOptions, maxRetries: number, read: (response: ClientResponse) => Promise<T>): Promise<T> {
    const key = ask.method === "POST" ? (options.idempotencyKey ?? randomKey()) : null;
    for (let failures = 1; ; failures += 1) {
      throwIfAborted(options.signal);
      try {
        return await read(await this.#once(ask, key, options.signal));
      } catch (error) {
        throwIfAborted(options.signal);
        const waitMs = failures > maxRetries ? null : waitBefore(error, failures);
        if (waitMs === null) throw error;
        await sleep(waitMs, options.signal);
      }
    }
  }

  async #once(ask: Ask, key: string | null, signal: ClientSignal | undefined): Promise<ClientResponse> {
    const response = await this.answer(ask, { signal, idempotencyKey: key ?? undefined });
    if (response.ok) return response;
    throw toApiError(parseJson(await response.text()), response.status, response.headers);
  }

  /** Whatever is answered, asked once. */
  async answer({ method, path, query, headers, body }: Ask, { signal, idempotencyKey }: CallOptions): Promise<ClientResponse> {
    const { baseUrl, token, fetch } = this.#options;
    const entries = Object.entries(query ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
    const url = `${baseUrl}${path}${entries.length === 0 ? "" : `?${queryText(entries)}`}`;
    return fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

/** Null: it is not tried again. */
function waitBefore(error: unknown, failures: number): number | null {
  if (!(error instanceof ApiError)) return backOffMs(failures);
  if (!error.retryable || (error.retryAfterMs ?? 0) > LONGEST_RETRY_AFTER_MS) return null;
  return Math.max(error.retryAfterMs ?? 0, backOffMs(failures));
}
