/**
 * What a turn changed, as it was found when the turn was over (SPEC CA28): a runner looks at the files after it has reported the
 * turn, so that its word comes after the end. Where it has not come yet, the workspace is asked; where nothing is known, what
 * was told during the turn stands.
 */
import type { ChangedFile, SessionEvent, UnsupportedEvent } from "@ai-dev-platform/protocol/events";
import type { Attached } from "./attach.ts";
import type { TurnPiece } from "./turn-output.ts";

/** A look at the changes takes a fraction of it; a runner that is gone answers at once. */
const LOOK_MS = 1_500;

const keyOf = ({ status, additions, deletions }: ChangedFile): string => `${status} ${additions} ${deletions}`;

export class FilesAfter {
  #before: ReadonlyMap<string, string> = new Map();
  #after: readonly ChangedFile[] | null = null;
  #hasWorked = false;
  #isNextTurn = false;

  /** All that differed from the session's beginning just before the message. */
  begin(before: readonly ChangedFile[]): void {
    this.#before = new Map(before.map((file) => [file.path, keyOf(file)]));
  }

  /** Nothing more will be learnt from the log. */
  get isKnown(): boolean {
    return this.#after !== null || this.#isNextTurn;
  }

  note(pieces: readonly TurnPiece[]): void {
    this.#hasWorked ||= pieces.some(({ type }) => type === "tool");
  }

  /** Of the log after the turn's end. What is told once another turn has begun may be that one's. */
  take(event: SessionEvent | UnsupportedEvent): void {
    if (event.type === "turn_started") this.#isNextTurn = true;
    if (event.type === "files_changed" && !this.isKnown) this.#after = event.files;
  }

  async settle(attached: Pick<Attached, "query">): Promise<void> {
    if (this.isKnown || !this.#hasWorked) return;
    const { promise, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => resolve(null), LOOK_MS);
    const looked = await Promise.race([attached.query({ kind: "changes" }).catch(() => null), promise]);
    clearTimeout(timer);
    if (looked?.kind === "changes") this.#after = looked.files;
  }

  /** `told`: during the turn. */
  changed(told: ChangedFile[]): ChangedFile[] {
    if (this.#after === null) return told;
    const touched = new Set(told.map(({ path }) => path));
    return this.#after.filter((file) => this.#before.get(file.path) !== keyOf(file) || touched.has(file.path));
  }
}
