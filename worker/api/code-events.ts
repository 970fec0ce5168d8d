/** A session's log and running text as server-sent events (SPEC CA23): one for each entry, by its number; text on its way without one. */
import type { LiveBlock, SessionFrame } from "@ai-dev-platform/protocol/viewer";
import { attach } from "./attach.ts";
import type { ApiCaller } from "./caller.ts";
import { actorOf, type MessageFollow } from "./code-message.ts";
import { frameOf, retryOf } from "./event-stream.ts";
import { eventView } from "./session-view.ts";

/** What a client waits before it comes back with Last-Event-ID. */
const RETRY_MS = 2_000;

/** From the entry after this one on, until the client goes. */
export async function* sessionEvents(
  env: Env,
  caller: ApiCaller,
  sessionId: string,
  afterSeq: number,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const attached = await attach(env, sessionId, actorOf(caller), afterSeq, signal);
  try {
    yield retryOf(RETRY_MS);
    const teller = new FrameTeller(afterSeq);
    yield teller.tell(attached.welcome);
    for await (const frame of attached.frames()) yield teller.tell(frame);
  } finally {
    attached.close();
  }
}

/** From a message's own entry on; its last is the message as it ended. */
export async function* messageEvents(follow: MessageFollow, signal: AbortSignal): AsyncGenerator<string> {
  const teller = new FrameTeller(follow.place.seq - 1);
  yield retryOf(RETRY_MS);
  for await (const { frame } of follow.steps(signal)) yield teller.tell(frame);
  yield frameOf({ event: "message.ended", data: follow.view });
}

class FrameTeller {
  #seq: number;
  #head = 0;
  /** Text of a welcome is told when the entries before it were. */
  #waiting: LiveBlock[] = [];

  constructor(afterSeq: number) {
    this.#seq = afterSeq;
  }

  /** All that this frame says; nothing for frames that are for screens. */
  tell(frame: SessionFrame): string {
    switch (frame.type) {
      case "welcome":
        this.#head = frame.head;
        this.#waiting = frame.live;
        return this.#blocks();
      case "live":
        return liveOf(frame, frame.offset);
      case "events": {
        this.#seq = frame.entries.at(-1)?.seq ?? this.#seq;
        const entries = frame.entries.map((entry) => {
          const view = eventView(entry);
          return frameOf({ id: view.id, event: view.type, data: view });
        });
        return entries.join("") + this.#blocks();
      }
      default:
        return "";
    }
  }

  #blocks(): string {
    if (this.#seq < this.#head) return "";
    const blocks = this.#waiting;
    this.#waiting = [];
    return blocks.map((block) => liveOf(block, 0)).join("");
  }
}

function liveOf({ thread, block, kind, text }: LiveBlock, offset: number): string {
  return frameOf({ event: "live", data: { thread, block, kind, offset, text } });
}
