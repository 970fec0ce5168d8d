/**
 * The session's state: a fold over the log, kept in memory and checkpointed in one row, so that a wake folds only the
 * entries after the checkpoint (SPEC SS1). The log is the truth; a checkpoint of another version is ignored.
 */
import type { LogEntry } from "@ai-dev-platform/protocol/events";
import { applyEntry, emptyState, type SessionState } from "@ai-dev-platform/protocol/state";
import { readAfter } from "./event-log.ts";

/** Raise when the shape or the meaning of SessionState changes: old checkpoints are then folded anew. */
const STATE_VERSION = 4;
/** Entries folded at a wake when nothing else made a checkpoint: a few milliseconds' work. */
const MAX_UNCHECKPOINTED_ENTRIES = 500;
const FOLD_PAGE = 500;

export class StateCache {
  readonly #sql: SqlStorage;
  #state: SessionState | null = null;
  #checkpointSeq = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get state(): SessionState {
    this.#state ??= this.#load();
    return this.#state;
  }

  /** An entry is stored before it is folded: a state that is read only now has it already. */
  apply(entry: LogEntry): void {
    const { state } = this;
    if (entry.seq > state.seq) this.#state = applyEntry(state, entry);
  }

  /** After a rollback: what was folded did not happen. */
  forget(): void {
    this.#state = null;
  }

  checkpointIfLong(): void {
    if (this.state.seq - this.#checkpointSeq >= MAX_UNCHECKPOINTED_ENTRIES) this.checkpoint();
  }

  checkpoint(): void {
    const { state } = this;
    this.#sql.exec(
      `INSERT INTO state_checkpoint (one, version, seq, state) VALUES (1, ?1, ?2, ?3) ON CONFLICT (one) DO UPDATE SET version = ?1, seq = ?2, state = ?3`,
      STATE_VERSION,
      state.seq,
      JSON.stringify(state),
    );
    this.#checkpointSeq = state.seq;
  }

  #load(): SessionState {
    const row = this.#sql.exec<{ state: string }>(`SELECT state FROM state_checkpoint WHERE version = ?`, STATE_VERSION).toArray()[0];
    let state: SessionState = row === undefined ? emptyState() : JSON.parse(row.state);
    this.#checkpointSeq = state.seq;
    for (;;) {
      const entries = readAfter(this.#sql, state.seq, FOLD_PAGE);
      for (const entry of entries) state = applyEntry(state, entry);
      if (entries.length < FOLD_PAGE) return state;
    }
  }
}
