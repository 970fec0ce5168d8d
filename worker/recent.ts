/**
 * Rows that every request of a program asks for, remembered in the isolate for a moment. Values only: what one request awaits must
 * not be awaited by another. A moment counts from before the read, so that nothing is remembered longer; what is missing is looked for
 * each time, as somebody may be about to add it. What is forgotten here lives on in other isolates until its moment is over.
 */
const MAX_ROWS = 1_000;

export class Recent<T> {
  readonly #ttlMs: number;
  readonly #rows = new Map<string, { row: T; readAt: number }>();

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
  }

  async get(name: string, read: () => Promise<T | null>): Promise<T | null> {
    const startedAt = Date.now();
    const known = this.#rows.get(name);
    if (known !== undefined && startedAt - known.readAt < this.#ttlMs) return known.row;
    const row = await read();
    this.#rows.delete(name);
    if (row === null) return null;
    if (this.#rows.size >= MAX_ROWS) this.#rows.clear();
    this.#rows.set(name, { row, readAt: startedAt });
    return row;
  }

  forget(name: string): void {
    this.#rows.delete(name);
  }
}
