/** An answer's body as server-sent events. Leaving the loop ends the connection. */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { newDecoder, type ClientResponse } from "./platform.ts";

export type ServerEvent = EventSourceMessage;

/** One event of the platform is far below this; more is not one. */
const MAX_EVENT_CHARS = 16 * 1_048_576;

/** `onRetry`: what the server asks clients to wait before they come back. */
export async function* serverEvents(
  { body }: Pick<ClientResponse, "body">,
  onRetry: (ms: number) => void = () => undefined,
): AsyncGenerator<ServerEvent, void, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = newDecoder();
  let events: ServerEvent[] = [];
  const parser = createParser({ onEvent: (event) => events.push(event), onRetry, maxBufferSize: MAX_EVENT_CHARS });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      const ready = events;
      events = [];
      yield* ready;
    }
  } finally {
    // A connection that broke cannot be ended any more.
    await reader.cancel().catch(() => undefined);
  }
}
