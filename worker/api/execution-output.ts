/**
 * A program's output as one reader gets it: in order, without a gap in what is kept (SPEC EX6). PURE. Live pieces may be missing;
 * then nothing more is said until the end, when the kept output brings the rest. Beyond what is kept, a gap is passed over.
 */
import type { Execution } from "@ai-dev-platform/protocol/api/execute";
import type { SessionFrame } from "@ai-dev-platform/protocol/viewer";

type Piece = Extract<SessionFrame, { type: "execution_output" }>;
export type OutputText = Pick<Piece, "stream" | "text">;

export class ExecutionOutput {
  readonly #next = { stdout: 0, stderr: 0 };
  readonly #keptBytes: number;

  /** `keptBytes`: as many of each output are kept at most. */
  constructor(keptBytes: number) {
    this.#keptBytes = keptBytes;
  }

  /** Null: nothing of it is to be said now. */
  take({ stream, offset, text }: Piece): OutputText | null {
    const next = this.#next[stream];
    // A character is a byte at least.
    if (offset > next && next < this.#keptBytes) return null;
    const fresh = text.slice(Math.max(0, next - offset));
    if (fresh === "") return null;
    this.#next[stream] = offset + text.length;
    return { stream, text: fresh };
  }

  /** What the end still brings. */
  finish(ended: Pick<Execution, "stdout" | "stderr">): OutputText[] {
    return (["stdout", "stderr"] as const).flatMap((stream) => {
      const text = ended[stream].slice(this.#next[stream]);
      return text === "" ? [] : [{ stream, text }];
    });
  }
}
