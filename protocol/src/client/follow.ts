/**
 * Streams of the coding agent that outlive their connection: a session's events go on after the last one that was seen, a
 * message's after its own id. What comes twice is told once. SPEC AD4.
 */
import * as z from "zod";
import { codeEventSchema, codeLiveSchema, codeMessageSchema, type CodeMessage } from "../api/code.ts";
import { ApiError, parseJson, toApiError } from "./api-error.ts";
import { randomKey, sleep, throwIfAborted } from "./platform.ts";
import { serverEvents, type ServerEvent } from "./server-events.ts";
import { backOffMs, type Ask, type CallOptions, type Transport } from "./transport.ts";

export type CodeEvent = z.infer<typeof codeEventSchema>;
export type CodeLive = z.infer<typeof codeLiveSchema>;
export type CodePiece = { type: "event"; event: CodeEvent } | { type: "live"; live: CodeLive };
export type MessagePiece = CodePiece | { type: "ended"; message: CodeMessage };

/** Connections in a row that brought nothing. */
const MAX_FAILURES = 10;

export function followSession(
  transport: Transport,
  path: string,
  options: CallOptions & { after?: number | undefined },
): AsyncGenerator<CodePiece, void, undefined> {
  const seen = new Seen(options.after ?? 0);
  return follow(transport, (last) => ({ method: "GET", path, headers: { "last-event-id": String(last) } }), seen, options, toPiece);
}

/** The same key at each connection: the platform follows the message that it has, and does not take another. */
export async function* followMessage(transport: Transport, ask: Ask, options: CallOptions): AsyncGenerator<MessagePiece, void, undefined> {
  const keyed = { ...options, idempotencyKey: options.idempotencyKey ?? randomKey() };
  const pieces = follow<MessagePiece>(
    transport,
    () => ask,
    new Seen(0),
    keyed,
    (event, seen) =>
      event.event === "message.ended" ? { type: "ended", message: codeMessageSchema.parse(parseJson(event.data)) } : toPiece(event, seen),
  );
  for await (const piece of pieces) {
    yield piece;
    if (piece.type === "ended") return;
  }
}

/** What of a stream was told, over all its connections. */
class Seen {
  last: number;
  readonly #told = new Map<string, number>();

  constructor(last: number) {
    this.last = last;
  }

  event(event: CodeEvent): CodePiece | null {
    if (event.id <= this.last) return null;
    this.last = event.id;
    return { type: "event", event };
  }

  /** A new connection tells a running text from its beginning. */
  live(live: CodeLive): CodePiece | null {
    const key = `${live.thread} ${live.block}`;
    const told = this.#told.get(key) ?? 0;
    const end = live.offset + live.text.length;
    if (end <= told) return null;
    this.#told.set(key, end);
    return { type: "live", live: live.offset >= told ? live : { ...live, offset: told, text: live.text.slice(told - live.offset) } };
  }
}

function toPiece(event: ServerEvent, seen: Seen): CodePiece | null {
  const data = parseJson(event.data);
  return event.event === "live" ? seen.live(codeLiveSchema.parse(data)) : seen.event(codeEventSchema.parse(data));
}

async function* follow<P>(
  transport: Transport,
  askAfter: (last: number) => Ask,
  seen: Seen,
  options: CallOptions,
  toOwn: (event: ServerEvent, seen: Seen) => P | null,
): AsyncGenerator<P, void, undefined> {
  let retryMs = 0;
  for (let failures = 0; ;) {
    try {
      const response = await transport.open(askAfter(seen.last), options, 0);
      for await (const event of serverEvents(response, (ms) => (retryMs = ms))) {
        if (event.event === "error") throw toApiError(parseJson(event.data), response.status, null);
        const piece = toOwn(event, seen);
        if (piece === null) continue;
        failures = 0;
        yield piece;
      }
      failures += 1;
    } catch (error) {
      throwIfAborted(options.signal);
      failures += 1;
      if (!mayComeBack(error) || failures > MAX_FAILURES) throw error;
    }
    if (failures > MAX_FAILURES) throw new Error(`the stream ended ${failures} times in a row`);
    await sleep(failures === 1 ? Math.min(retryMs, backOffMs(1)) : backOffMs(failures), options.signal);
  }
}

/** An answer that does not fit the schema would not fit the next time either. */
const mayComeBack = (error: unknown): boolean => (error instanceof ApiError ? error.retryable : !(error instanceof z.ZodError));
