/**
 * Streamed text on its way to becoming an event. A piece is taken only where it continues the block; a block with a hole
 * waits for its event (SPEC LV1), and a settled or dropped block never comes back (SPEC LV3).
 */
import type { LiveBlock } from "@ai-dev-platform/protocol/viewer";
import { place, removeRow, setRow, type Rows } from "./row-set.ts";
import { blockRowId, type TextRow } from "./rows.ts";

export interface LivePiece extends Omit<LiveBlock, "text"> {
  offset: number;
  text: string;
}

export function applyLive(rows: Rows, piece: LivePiece, at: number): void {
  const id = blockRowId(piece.thread, piece.block);
  if (rows.settledBlocks.has(id)) return;
  const row = rows.byId.get(id);
  if (row === undefined) {
    if (piece.offset === 0) addLive(rows, piece, at);
    return;
  }
  if (row.kind !== "text" && row.kind !== "thinking") return;
  const continues = piece.offset <= row.text.length && piece.offset + piece.text.length > row.text.length;
  if (continues) setRow(rows, { ...row, text: row.text.slice(0, piece.offset) + piece.text });
}

function addLive(rows: Rows, block: LiveBlock, at: number): void {
  const parentToolId = block.parentToolId ?? null;
  const row: TextRow = {
    id: blockRowId(block.thread, block.block),
    kind: block.kind,
    seq: null,
    at,
    thread: block.thread,
    turnId: rows.openTurns.get(block.thread) ?? null,
    text: block.text,
    isLive: true,
    parentToolId,
  };
  place(rows, row, parentToolId);
}

/** The blocks open at the session, as a welcome names them: what is not among them is over. */
export function replaceLive(rows: Rows, blocks: readonly LiveBlock[], at: number): void {
  const open = new Map(blocks.map((block) => [blockRowId(block.thread, block.block), block]));
  for (const row of liveRows(rows)) if (!open.has(row.id)) removeRow(rows, row.id);
  for (const [id, block] of open) {
    if (rows.settledBlocks.has(id)) continue;
    const row = rows.byId.get(id);
    if (row === undefined) addLive(rows, block, at);
    else if (row.kind === "text" || row.kind === "thinking") setRow(rows, { ...row, text: block.text });
  }
}

export function liveRows(rows: Rows): TextRow[] {
  return [...rows.liveIds].flatMap((id) => {
    const row = rows.byId.get(id);
    return row !== undefined && "isLive" in row ? [row] : [];
  });
}
