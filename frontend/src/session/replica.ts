/**
 * This browser's copy of the log: the entries that it holds, dense and in order, with the rows and the state folded from them.
 * It takes an entry only if it is the next one; an older one is a repetition, a later one means that something was missed and
 * nothing is guessed (SPEC VS2). It knows no socket and no clock of its own.
 */
import type { ReadEntry } from "@ai-dev-platform/protocol/events";
import { applyEntry, type SessionState } from "@ai-dev-platform/protocol/state";
import type { SessionFrame } from "@ai-dev-platform/protocol/viewer";
import { applyOutput } from "../transcript/executions.ts";
import { foldAll, foldEntry } from "../transcript/fold.ts";
import { applyLive, liveRows, replaceLive } from "../transcript/live.ts";
import { emptyRows, setRow, type Rows } from "../transcript/row-set.ts";
import type { Row } from "../transcript/rows.ts";

export interface Replica {
  entries: ReadEntry[];
  rows: Rows;
  state: SessionState | null;
  /** Newest seq held; null before the first entry after a reset. */
  lastSeq: number | null;
  /** Newest seq that the session has named. */
  head: number;
  hasOlder: boolean;
}

export const emptyReplica = (): Replica => ({ entries: [], rows: emptyRows(), state: null, lastSeq: null, head: 0, hasOlder: false });

export type Received = "applied" | "gap";

/** Entries kept from an earlier visit, shown until the session has said what is new. */
export function restoreEntries(replica: Replica, entries: readonly ReadEntry[], state: SessionState | null): void {
  const last = entries.at(-1);
  if (replica.entries.length > 0 || last === undefined || !isDense(entries)) return;
  replica.entries = [...entries];
  replica.rows = foldAll(entries);
  replica.state ??= state;
  replica.lastSeq = last.seq;
  replica.head = Math.max(replica.head, last.seq);
  replica.hasOlder = (entries[0]?.seq ?? 1) > 1;
}

const isDense = (entries: readonly ReadEntry[]) =>
  entries.every((entry, index) => index === 0 || entry.seq === (entries[index - 1]?.seq ?? 0) + 1);

export function receiveWelcome(replica: Replica, frame: Extract<SessionFrame, { type: "welcome" }>): void {
  if (frame.mode === "reset") {
    const gone = replica.rows;
    replica.entries = [];
    replica.rows = emptyRows();
    for (const id of gone.byId.keys()) replica.rows.changed.add(id);
    replica.rows.structure = gone.structure + 1;
    replica.lastSeq = frame.head === 0 ? 0 : null;
    replica.hasOlder = false;
  }
  replica.state = frame.state;
  replica.head = frame.head;
  replaceLive(replica.rows, frame.live, frame.serverAt);
}

export function receiveEvents(replica: Replica, frame: Extract<SessionFrame, { type: "events" }>): Received {
  replica.head = Math.max(replica.head, frame.head);
  for (const entry of frame.entries) {
    if (replica.lastSeq !== null && entry.seq <= replica.lastSeq) continue;
    if (replica.lastSeq !== null && entry.seq > replica.lastSeq + 1) return "gap";
    if (replica.lastSeq === null) replica.hasOlder = entry.seq > 1;
    append(replica, entry);
  }
  return "applied";
}

function append(replica: Replica, entry: ReadEntry): void {
  replica.entries.push(entry);
  foldEntry(replica.rows, entry);
  // A welcome's state is folded through its head already; only what comes after it counts (SPEC SS1, SS2).
  if (replica.state !== null && entry.seq === replica.state.seq + 1) replica.state = applyEntry(replica.state, entry);
  replica.lastSeq = entry.seq;
  replica.head = Math.max(replica.head, entry.seq);
}

export const receiveLive = (replica: Replica, frame: Extract<SessionFrame, { type: "live" }>, now: number): void =>
  applyLive(replica.rows, frame, now);

export const receiveOutput = (replica: Replica, frame: Extract<SessionFrame, { type: "execution_output" }>): void =>
  applyOutput(replica.rows, frame);

/** Older entries, put before those held. Folded anew, since a beginning may explain a later row; equal rows stay the same objects. */
export function receiveHistory(replica: Replica, older: readonly ReadEntry[], reachedStart: boolean): void {
  const first = replica.entries[0]?.seq ?? (replica.lastSeq ?? 0) + 1;
  const fitting = older.filter((entry) => entry.seq < first).sort((a, b) => a.seq - b.seq);
  if (!isDense(fitting) || (fitting.at(-1)?.seq ?? first - 1) !== first - 1) return;
  replica.hasOlder = !reachedStart && (fitting[0]?.seq ?? 1) > 1;
  if (fitting.length === 0) return;
  replica.entries = [...fitting, ...replica.entries];
  replica.rows = refold(replica.rows, replica.entries);
}

function refold(before: Rows, entries: readonly ReadEntry[]): Rows {
  const live = liveRows(before);
  const rows = foldAll(entries);
  for (const row of live) {
    if (rows.settledBlocks.has(row.id)) continue;
    applyLive(
      rows,
      {
        thread: row.thread,
        block: row.id.slice(`block:${row.thread}:`.length),
        kind: row.kind,
        offset: 0,
        text: row.text,
        ...(row.parentToolId === null ? {} : { parentToolId: row.parentToolId }),
      },
      row.at,
    );
  }
  rows.changed.clear();
  for (const [id, row] of rows.byId) {
    const old = before.byId.get(id);
    // What a running program has written so far is in no entry.
    if (old !== undefined && ((row.kind === "execution" && row.end === null) || isSameRow(old, row))) rows.byId.set(id, old);
    else setRow(rows, row);
  }
  rows.structure = before.structure + 1;
  return rows;
}

/** Rows hold entries' own values, which a new fold takes over: a flat comparison is enough for all but small nested records. */
function isSameRow(a: Row, b: Row): boolean {
  const old: Record<string, unknown> = { ...a };
  return Object.entries(b).every(
    ([key, value]) => old[key] === value || (typeof value === "object" && JSON.stringify(old[key]) === JSON.stringify(value)),
  );
}
