/**
 * The few things of a platform that the client uses, by their shape: Node, Deno, Bun, browsers and Workers all have them. This
 * package has no platform types, so they are declared here and nowhere else.
 */
export interface ClientSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

export interface ClientReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(reason?: unknown): Promise<void>;
}

export interface ClientResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): ClientReader; cancel(reason?: unknown): Promise<void> } | null;
  text(): Promise<string>;
}

export interface ClientRequest {
  method: string;
  headers: Record<string, string>;
  body?: string;
  signal?: ClientSignal;
}

/** `fetch`, or anything like it. Declared as a method, so that every platform's own type of it fits. */
export type ClientFetch = { fetch(url: string, request: ClientRequest): Promise<ClientResponse> }["fetch"];

declare const fetch: ClientFetch;
declare const setTimeout: (run: () => void, ms: number) => unknown;
declare const clearTimeout: (timer: unknown) => void;
declare const TextDecoder: new () => { decode(bytes?: Uint8Array, options?: { stream: boolean }): string };
declare const crypto: { getRandomValues(bytes: Uint8Array): Uint8Array };
declare const URLSearchParams: new (entries: string[][]) => { toString(): string };

export const platformFetch: ClientFetch = (url, request) => fetch(url, request);
export const newDecoder = () => new TextDecoder();
export const queryText = (entries: string[][]): string => new URLSearchParams(entries).toString();

export const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export function throwIfAborted(signal: ClientSignal | undefined): void {
  if (signal?.aborted === true) throw signal.reason ?? new Error("aborted");
}

/** Throws the signal's reason as soon as it fires. */
export function sleep(ms: number, signal: ClientSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const end = (settle: () => void) => () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = end(() => reject(signal?.reason));
    const timer = setTimeout(end(resolve), ms);
    signal?.addEventListener("abort", onAbort);
  });
}
