/**
 * Tells the session which files differ from where it began: at the end of turns, and when anybody changes them in between
 * (SPEC MA12). One look at a time, so that an older list never follows a newer one; a list that is known is not told again.
 */
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import type { OutboxBody } from "@ai-dev-platform/protocol/runner";
import type { Log } from "../output.ts";
import type { startWatch } from "./workspace/watch/watch.ts";
import type { Workspace } from "./workspace/workspace.ts";

const MAX_CHANGED_FILES = 1_000;
const POLLS = "This folder is large: changes that are made beside the session are shown after some seconds to minutes.";

export interface ToldChangesParts {
  workspace: Workspace;
  /** A folder of this machine, used where it is. */
  isInPlace: boolean;
  emit(thread: string, body: OutboxBody, turnId: string | null): void;
  /** Absent where nobody else can reach the files. */
  watch?: typeof startWatch | undefined;
  log: Log;
}

export class ToldChanges {
  readonly #parts: ToldChangesParts;
  #known = "";
  #last: Promise<void> = Promise.resolve();

  constructor(parts: ToldChangesParts) {
    this.#parts = parts;
  }

  /** `isRestored`: what the session knows may be of another state: of a later one, of the session that it was forked from. */
  async begin(isRestored: boolean): Promise<void> {
    if (isRestored) await this.#next(MAIN_THREAD, null, true);
    const { watch, workspace, isInPlace, emit, log } = this.#parts;
    watch?.({
      tree: { root: workspace.root, isInPlace },
      look: () => this.look(),
      onPolling: () => emit(MAIN_THREAD, { type: "notice", level: "info", text: POLLS }, null),
      log,
    });
  }

  turnEnded(thread: string, turnId: string): Promise<void> {
    return this.#next(thread, turnId, false);
  }

  /** Something beside the turns has changed files. */
  look(): Promise<void> {
    return this.#next(MAIN_THREAD, null, false);
  }

  #next(thread: string, turnId: string | null, isNewsIfNone: boolean): Promise<void> {
    this.#last = this.#last.then(() => this.#tell(thread, turnId, isNewsIfNone));
    return this.#last;
  }

  async #tell(thread: string, turnId: string | null, isNewsIfNone: boolean): Promise<void> {
    try {
      const { base, files } = await this.#parts.workspace.changedFiles();
      const shown = files.slice(0, MAX_CHANGED_FILES);
      const text = JSON.stringify([base, shown]);
      const isNothing = this.#known === "" && shown.length === 0 && !isNewsIfNone;
      if (text === this.#known || isNothing) return;
      this.#known = text;
      this.#parts.emit(thread, { type: "files_changed", base, files: shown }, turnId);
    } catch (error) {
      this.#parts.log("warn", "changes_failed", { detail: error instanceof Error ? error.message : String(error) });
    }
  }
}
