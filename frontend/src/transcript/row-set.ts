/**
 * The rows of a transcript as an accumulator: owned by its caller and grown in place, since copying would make each event cost
 * as much as the whole session; rows themselves are replaced. `changed` names the rows that differ since the caller last
 * emptied it, and `structure` rises whenever the list of rows may look different.
 */
import type { Author, Delivery, ReadEntry } from "@ai-dev-platform/protocol/events";
import { toolRowId, type Row } from "./rows.ts";

export interface KnownPrompt {
  promptId: string;
  thread: string;
  text: string;
  author: Author;
  delivery: Delivery;
  at: number;
  seq: number;
}

export interface TurnRecord {
  rowIds: string[];
  openTools: Set<string>;
  files: Set<string>;
}

export interface Rows {
  /** Top-level rows in reading order. */
  ids: string[];
  byId: Map<string, Row>;
  /** Prompts that are durable and not yet taken, by id. */
  prompts: Map<string, KnownPrompt>;
  /** Ids of prompts that wait, in the order of the queue. */
  waiting: string[];
  turns: Map<string, TurnRecord>;
  /** The open turn of each thread. */
  openTurns: Map<string, string>;
  /** Blocks whose live text must not come back. */
  settledBlocks: Set<string>;
  /** Rows whose text is still streaming. */
  liveIds: Set<string>;
  hostWasLost: boolean;
  changed: Set<string>;
  structure: number;
}

export const emptyRows = (): Rows => ({
  ids: [],
  byId: new Map(),
  prompts: new Map(),
  waiting: [],
  turns: new Map(),
  openTurns: new Map(),
  settledBlocks: new Set(),
  liveIds: new Set(),
  hostWasLost: false,
  changed: new Set(),
  structure: 0,
});

/** What the fold knows of an entry beside its event. */
export type Envelope = Pick<ReadEntry, "seq" | "at" | "thread" | "turnId">;

export const base = (entry: Envelope) => ({ seq: entry.seq, at: entry.at, thread: entry.thread, turnId: entry.turnId });

export function setRow(rows: Rows, row: Row): void {
  rows.byId.set(row.id, row);
  rows.changed.add(row.id);
  if ("isLive" in row && row.isLive) rows.liveIds.add(row.id);
  else rows.liveIds.delete(row.id);
}

/** Appends a top-level row. A row that stands already is moved to the end: the log's order is the reading order. */
export function addRow(rows: Rows, row: Row): void {
  place(rows, row, null);
}

/** Appends a row, inside the sub-agent that it belongs to when that is loaded. */
export function place(rows: Rows, row: Row, parentToolId: string | null): void {
  removeRow(rows, row.id);
  const parent = parentToolId === null ? undefined : rows.byId.get(toolRowId(parentToolId));
  if (parent?.kind === "tool") setRow(rows, { ...parent, childIds: [...parent.childIds, row.id] });
  else {
    rows.ids.push(row.id);
    rows.turns.get(row.turnId ?? "")?.rowIds.push(row.id);
  }
  setRow(rows, row);
  rows.structure++;
}

export function removeRow(rows: Rows, id: string): void {
  const row = rows.byId.get(id);
  if (row === undefined) return;
  rows.byId.delete(id);
  rows.liveIds.delete(id);
  rows.changed.add(id);
  rows.structure++;
  const index = rows.ids.lastIndexOf(id);
  if (index !== -1) {
    rows.ids.splice(index, 1);
    const turn = rows.turns.get(row.turnId ?? "");
    const inTurn = turn?.rowIds.lastIndexOf(id) ?? -1;
    if (turn !== undefined && inTurn !== -1) turn.rowIds.splice(inTurn, 1);
    return;
  }
  if (!("parentToolId" in row) || row.parentToolId === null) return;
  const parent = rows.byId.get(toolRowId(row.parentToolId));
  if (parent?.kind === "tool") setRow(rows, { ...parent, childIds: parent.childIds.filter((child) => child !== id) });
}
