/**
 * One unit of work: everything a frame or a call changes commits in one transaction, then viewers and the outside world
 * hear of it (SPEC EV2). A throw rolls back and nothing is told. Owns the order "log, fold, commit, tell, act".
 */
import type { LogEntry } from "@ai-dev-platform/protocol/events";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { appendEntry, type EntryDraft } from "./event-log.ts";
import { StateCache } from "./state-cache.ts";

export interface LedgerHooks {
  /** Once at the end of each transaction, inside it, with what it appended. */
  beforeCommit(entries: readonly LogEntry[]): void;
  /** Caches of what is stored are to be read anew. */
  afterRollback(): void;
}

export class Ledger {
  readonly #storage: DurableObjectStorage;
  readonly #cache: StateCache;
  readonly #now: () => number;
  readonly #tell: (entries: readonly LogEntry[]) => void;
  #isOpen = false;
  #entries: LogEntry[] = [];
  #hooks: LedgerHooks | null = null;
  #afterCommit: (() => void)[] = [];

  constructor(storage: DurableObjectStorage, now: () => number, tell: (entries: readonly LogEntry[]) => void) {
    this.#storage = storage;
    this.#cache = new StateCache(storage.sql);
    this.#now = now;
    this.#tell = tell;
  }

  get state(): SessionState {
    return this.#cache.state;
  }

  /** Joins the open transaction, or opens one. `work` must not await. */
  transact<T>(work: () => T): T {
    if (this.#isOpen) return work();
    const result = this.#commit(work);
    const entries = this.#entries;
    const actions = this.#afterCommit;
    this.#entries = [];
    this.#afterCommit = [];
    if (entries.length > 0) this.#tell(entries);
    for (const action of actions) action();
    return result;
  }

  append(draft: EntryDraft): LogEntry {
    if (!this.#isOpen) return this.transact(() => this.append(draft));
    const entry = appendEntry(this.#storage.sql, draft, this.#now());
    this.#cache.apply(entry);
    this.#entries.push(entry);
    if (draft.event.type === "turn_ended") this.#cache.checkpoint();
    return entry;
  }

  /** Something for the outside world: done only if the work commits, and after viewers were told. */
  afterCommit(action: () => void): void {
    if (this.#isOpen) this.#afterCommit.push(action);
    else action();
  }

  setHooks(hooks: LedgerHooks): void {
    this.#hooks = hooks;
  }

  #commit<T>(work: () => T): T {
    this.#isOpen = true;
    try {
      return this.#storage.transactionSync(() => {
        const result = work();
        if (this.#entries.length > 0) this.#cache.checkpointIfLong();
        this.#hooks?.beforeCommit(this.#entries);
        return result;
      });
    } catch (error) {
      this.#cache.forget();
      this.#entries = [];
      this.#afterCommit = [];
      this.#hooks?.afterRollback();
      throw error;
    } finally {
      this.#isOpen = false;
    }
  }
}
