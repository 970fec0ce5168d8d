/**
 * Streamed text on its way to becoming an event (SPEC LV1–LV3). Keeps the open blocks, sends pieces on at once or
 * coalesced, and checkpoints the running text about once a second into `live_blocks`. Timers exist only while text
 * streams: an idle session holds none.
 */
import { CHECKPOINT_INTERVAL_MS, LIVE_FRAME_INTERVAL_MS, MAX_BLOCK_CHARS } from "@ai-dev-platform/protocol/limits";
import type { RunnerFrame } from "@ai-dev-platform/protocol/runner";
import type { LiveBlock, SessionFrame } from "@ai-dev-platform/protocol/viewer";

/** Blocks that may be open at once: an agent and its helpers write a handful. */
const MAX_OPEN_BLOCKS = 64;

export type LivePiece = Extract<RunnerFrame, { type: "live" }>;
type LiveFrame = Extract<SessionFrame, { type: "live" }>;

interface OpenBlock extends LiveBlock {
  /** Where the text starts that was not sent yet. */
  sentChars: number;
  isDirty: boolean;
  hasRow: boolean;
}

type Row = { thread: string; block: string; kind: string; text: string; parent_tool_id: string | null };

const keyOf = (thread: string, block: string) => `${thread}\n${block}`;

export class LiveText {
  readonly #sql: SqlStorage;
  readonly #send: (frame: LiveFrame) => void;
  #blocks: Map<string, OpenBlock> | null = null;
  #flushTimer: ReturnType<typeof setTimeout> | null = null;
  #checkpointTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(sql: SqlStorage, send: (frame: LiveFrame) => void) {
    this.#sql = sql;
    this.#send = send;
  }

  /** A piece that overlaps what is known is cut; one that skips is sent on but not kept: the finished block will bring it. */
  accept(piece: LivePiece): void {
    const block = this.#blockOf(piece);
    if (block === null) return;
    const known = block.text.length;
    if (piece.offset > known) return this.#send({ ...piece });
    const fresh = piece.text.slice(known - piece.offset);
    if (fresh === "" || known + fresh.length > MAX_BLOCK_CHARS) return;
    block.text += fresh;
    block.isDirty = true;
    // The first piece goes out at once; what follows within the interval goes out together.
    if (this.#flushTimer === null) {
      this.flush();
      this.#flushTimer = setTimeout(() => this.#flushLater(), LIVE_FRAME_INTERVAL_MS);
    }
    this.#checkpointTimer ??= setTimeout(() => this.#checkpoint(), CHECKPOINT_INTERVAL_MS);
  }

  /** Sends everything that is held back. */
  flush(): boolean {
    let hasSent = false;
    for (const block of this.#open().values()) {
      if (block.sentChars === block.text.length) continue;
      this.#send(frameOf(block, block.sentChars));
      block.sentChars = block.text.length;
      hasSent = true;
    }
    return hasSent;
  }

  /** The open blocks with all their text. Flushes first, so that what follows continues exactly here. */
  snapshot(): LiveBlock[] {
    this.flush();
    return [...this.#open().values()].map(({ thread, block, kind, text, parentToolId }) => ({
      thread,
      block,
      kind,
      text,
      ...(parentToolId === undefined ? {} : { parentToolId }),
    }));
  }

  /** The block became an event, or was aborted. */
  drop(thread: string, blockId: string): void {
    const block = this.#open().get(keyOf(thread, blockId));
    if (block === undefined) return;
    this.#open().delete(keyOf(thread, blockId));
    if (block.hasRow) this.#sql.exec(`DELETE FROM live_blocks WHERE thread = ? AND block = ?`, thread, blockId);
    this.#stopWhenIdle();
  }

  /** The thread's turn is over: nothing that it still streamed will be finished. */
  clear(thread: string): void {
    for (const block of this.#open().values()) if (block.thread === thread) this.drop(thread, block.block);
  }

  /** The runner is gone, with all it streamed. */
  clearAll(): void {
    for (const { thread, block } of this.#open().values()) this.drop(thread, block);
  }

  #flushLater(): void {
    this.#flushTimer = null;
    if (this.flush()) this.#flushTimer = setTimeout(() => this.#flushLater(), LIVE_FRAME_INTERVAL_MS);
  }

  #checkpoint(): void {
    this.#checkpointTimer = null;
    for (const block of this.#open().values()) {
      if (!block.isDirty) continue;
      this.#sql.exec(
        `INSERT INTO live_blocks (thread, block, kind, text, parent_tool_id) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (thread, block) DO UPDATE SET text = ?4`,
        block.thread,
        block.block,
        block.kind,
        block.text,
        block.parentToolId ?? null,
      );
      block.isDirty = false;
      block.hasRow = true;
    }
  }

  #stopWhenIdle(): void {
    if (this.#open().size > 0) return;
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
    if (this.#checkpointTimer !== null) clearTimeout(this.#checkpointTimer);
    this.#flushTimer = null;
    this.#checkpointTimer = null;
  }

  #blockOf(piece: LivePiece): OpenBlock | null {
    const key = keyOf(piece.thread, piece.block);
    let block = this.#open().get(key);
    if (block === undefined) {
      if (this.#open().size >= MAX_OPEN_BLOCKS) return null;
      const { thread, kind, parentToolId } = piece;
      block = { thread, block: piece.block, kind, text: "", parentToolId, sentChars: 0, isDirty: false, hasRow: false };
      this.#open().set(key, block);
    }
    return block;
  }

  #open(): Map<string, OpenBlock> {
    this.#blocks ??= this.#load();
    return this.#blocks;
  }

  #load(): Map<string, OpenBlock> {
    const blocks = new Map<string, OpenBlock>();
    for (const row of this.#sql.exec<Row>(`SELECT thread, block, kind, text, parent_tool_id FROM live_blocks`)) {
      blocks.set(keyOf(row.thread, row.block), {
        thread: row.thread,
        block: row.block,
        kind: row.kind === "thinking" ? "thinking" : "text",
        text: row.text,
        parentToolId: row.parent_tool_id ?? undefined,
        sentChars: row.text.length,
        isDirty: false,
        hasRow: true,
      });
    }
    return blocks;
  }
}

export function frameOf(block: LiveBlock, offset: number): LiveFrame {
  const { thread, kind, text, parentToolId } = block;
  return {
    type: "live",
    thread,
    block: block.block,
    kind,
    offset,
    text: text.slice(offset),
    ...(parentToolId === undefined ? {} : { parentToolId }),
  };
}
