/**
 * Which files a turn changed (SPEC CA7). PURE. The log tells all that differs from the session's beginning; a turn's own part
 * is what is new or other than just before it. Where that is not known, it is what the turn's tools named, and what later
 * reports of the turn add to its first.
 */
import type { ChangedFile } from "@ai-dev-platform/protocol/events";

const keyOf = ({ status, additions, deletions }: ChangedFile): string => `${status} ${additions} ${deletions}`;
const keysOf = (files: readonly ChangedFile[]): Map<string, string> => new Map(files.map((file) => [file.path, keyOf(file)]));

export class TurnFiles {
  /** As of some entry. That may be after the turn began: it counts when no report of the turn is in it. */
  #known: { files: Map<string, string>; seq: number } | null = null;
  #before: Map<string, string> | null = null;
  #isBegun = false;
  #now: readonly ChangedFile[] = [];
  readonly #touched = new Set<string>();

  /** As folded up to `seq`. */
  baseline(files: readonly ChangedFile[], seq: number): void {
    this.#known = { files: keysOf(files), seq };
  }

  begin(): void {
    this.#isBegun = true;
    this.#before = this.#known?.files ?? null;
  }

  touch(path: string): void {
    this.#touched.add(path);
  }

  report(files: readonly ChangedFile[], seq: number, isInTurn: boolean): void {
    if (!isInTurn) {
      if (!this.#isBegun) this.#known = { files: keysOf(files), seq };
      return;
    }
    if (this.#known !== null && seq <= this.#known.seq) this.#forgetBefore();
    // The first report of a turn whose beginning is not known: all but what its tools named may be older.
    this.#before ??= keysOf(files.filter(({ path }) => !this.#touched.has(path)));
    this.#now = files;
  }

  #forgetBefore(): void {
    this.#known = null;
    this.#before = null;
  }

  changed(): ChangedFile[] {
    const before = this.#before ?? new Map<string, string>();
    return this.#now.filter((file) => before.get(file.path) !== keyOf(file) || this.#touched.has(file.path));
  }
}
