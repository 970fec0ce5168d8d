/**
 * Streamed text on its way out: the first piece of a pause at once, then at most about thirty frames a second (SPEC LV1).
 * Nothing here is durable: what a lost connection swallowed is given again from the start of each open block.
 */
import { LIVE_FRAME_INTERVAL_MS } from "@ai-dev-platform/protocol/limits";
import type { RunnerFrame } from "@ai-dev-platform/protocol/runner";

export interface LivePiece {
  block: string;
  kind: "text" | "thinking";
  offset: number;
  text: string;
  parentToolId?: string | undefined;
}

export interface ThreadPiece extends LivePiece {
  thread: string;
}

export interface LiveOutput {
  push(piece: ThreadPiece): void;
  /** The block became an event, or was dropped: what still waits of it is void. */
  finish(thread: string, block: string): void;
  /** Sends what waits. */
  flush(): void;
  /** Forgets what waits; the open blocks are sent again whole. */
  resync(open: ThreadPiece[]): void;
  stop(): void;
}

const keyOf = (thread: string, block: string): string => `${thread}\n${block}`;

export function createLiveOutput(port: { send(frame: RunnerFrame): boolean; isCongested(): boolean; now(): number }): LiveOutput {
  const waiting = new Map<string, ThreadPiece>();
  let lastSentAt = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.size === 0) return;
    if (port.isCongested()) {
      timer = setTimeout(flush, LIVE_FRAME_INTERVAL_MS);
      return;
    }
    lastSentAt = port.now();
    const pieces = [...waiting.values()];
    waiting.clear();
    for (const piece of pieces) port.send({ type: "live", ...piece });
  };

  const schedule = (): void => {
    if (timer !== undefined) return;
    const dueInMs = lastSentAt + LIVE_FRAME_INTERVAL_MS - port.now();
    if (dueInMs <= 0) flush();
    else timer = setTimeout(flush, dueInMs);
  };

  return {
    push(piece) {
      const key = keyOf(piece.thread, piece.block);
      const before = waiting.get(key);
      waiting.set(key, before === undefined ? { ...piece } : { ...before, text: before.text + piece.text });
      schedule();
    },
    finish(thread, block) {
      waiting.delete(keyOf(thread, block));
    },
    flush,
    resync(open) {
      waiting.clear();
      for (const piece of open) if (piece.text !== "") waiting.set(keyOf(piece.thread, piece.block), { ...piece, offset: 0 });
      flush();
    },
    stop() {
      clearTimeout(timer);
      waiting.clear();
    },
  };
}
