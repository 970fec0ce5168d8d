/**
 * What one prompt came to, folded from the frames of a session (SPEC CA7). PURE. Fed with every frame from the prompt's own
 * entry on (`attach` after `seq - 1`), in order; a frame that repeats what is known changes nothing.
 *
 * Text is given in the log's order, each block once: live pieces first, and what they missed when the block is finished.
 * Blocks are separated by an empty line. Text that was shown and then dropped by the agent cannot be taken back: `text_dropped`
 * says so, and `content` is without it. Text and tools of helpers that the agent started are no part of it.
 */
import { codeApprovalOf, type CodeApproval } from "@ai-dev-platform/protocol/api/code-approval";
import type { ChangedFile, Problem, ReadEntry, SessionEvent, TurnOutcome, Usage } from "@ai-dev-platform/protocol/events";
import type { SessionFrame } from "@ai-dev-platform/protocol/viewer";
import { TurnFiles } from "./turn-files.ts";
import { TurnText } from "./turn-text.ts";

export type TurnPiece =
  | { type: "text"; text: string }
  /**
   * The last `chars` of the text so far (UTF-16 units, with the empty line before it) are no part of the answer. Whoever cannot
   * take them back goes on: the next text begins with an empty line.
   */
  | { type: "text_dropped"; chars: number }
  | { type: "tool"; toolId: string; tool: string; subject: string; state: "started" | "ended" | "failed" }
  /** It is open after this frame: nobody has answered by policy. */
  | { type: "approval"; approval: CodeApproval }
  | { type: "approval_closed"; approvalId: string };

type LiveFrame = Extract<SessionFrame, { type: "live" }>;
type Event<T extends SessionEvent["type"]> = Extract<SessionEvent, { type: T }>;

const SUBJECT_CHARS = 200;
/** Where a tool's input says what it is about, the most telling first. */
const SUBJECT_FIELDS = ["command", "file_path", "notebook_path", "path", "pattern", "url", "query", "description", "prompt"];

export class TurnFold {
  readonly promptId: string;
  turnId: string | null = null;
  thread: string | null = null;
  /** `withdrawn`: it was taken back before it ran. Null until it is over. */
  outcome: TurnOutcome | "withdrawn" | null = null;
  problem: Problem | null = null;
  usage: Usage | null = null;
  endSeq: number | null = null;
  readonly #text = new TurnText();
  readonly #files = new TurnFiles();
  readonly #tools = new Map<string, { tool: string; subject: string }>();
  readonly #approvals = new Map<string, CodeApproval>();
  #seq = 0;
  /** Live text waits until the entries before it are here. */
  #caughtUpAt = 0;
  #waiting: LiveFrame[] = [];

  constructor(promptId: string) {
    this.promptId = promptId;
  }

  get isOver(): boolean {
    return this.outcome !== null;
  }

  /** All finished text of the main conversation, without what was dropped. */
  get content(): string {
    return this.#text.content;
  }

  /** Files that differ from how they were when the turn began, as far as the log tells. */
  get filesChanged(): ChangedFile[] {
    return this.#files.changed();
  }

  /** What waits for an answer now. */
  get approvals(): CodeApproval[] {
    return [...this.#approvals.values()];
  }

  /** What this frame adds. */
  take(frame: SessionFrame): TurnPiece[] {
    if (frame.type === "welcome") return this.#welcome(frame);
    if (frame.type === "live") return this.#live(frame);
    if (frame.type !== "events") return [];
    const before = new Set(this.#approvals.keys());
    const pieces = frame.entries.flatMap((entry) => this.#entry(entry));
    const asked = this.approvals.filter(({ id }) => !before.has(id));
    return [...pieces, ...asked.map((approval): TurnPiece => ({ type: "approval", approval })), ...this.#releaseLive()];
  }

  /** The text alone that this frame adds. */
  textDelta(frame: SessionFrame): string {
    return this.take(frame)
      .map((piece) => (piece.type === "text" ? piece.text : ""))
      .join("");
  }

  #welcome(frame: Extract<SessionFrame, { type: "welcome" }>): TurnPiece[] {
    const { head, state, live } = frame;
    this.#caughtUpAt = head;
    this.#waiting = live.map((block) => ({ ...block, type: "live", offset: 0 }));
    if (this.turnId === null) this.#files.baseline(state.changes.files, state.seq);
    return this.#releaseLive();
  }

  #live(frame: LiveFrame): TurnPiece[] {
    if (this.#seq < this.#caughtUpAt) {
      this.#waiting.push(frame);
      return [];
    }
    const isOurs = this.turnId !== null && !this.isOver && frame.thread === this.thread;
    if (!isOurs || frame.kind !== "text" || frame.parentToolId !== undefined) return [];
    return this.#text.live(frame.block, frame.offset, frame.text);
  }

  #releaseLive(): TurnPiece[] {
    if (this.#seq < this.#caughtUpAt) return [];
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting.flatMap((frame) => this.#live(frame));
  }

  #entry(entry: ReadEntry): TurnPiece[] {
    if (entry.seq <= this.#seq) return [];
    this.#seq = entry.seq;
    const { event } = entry;
    if (event.type === "unsupported" || this.isOver) return [];
    if (event.type === "files_changed") this.#files.report(event.files, entry.seq, this.turnId !== null);
    if (this.turnId === null) return this.#begin(entry, event);
    return entry.turnId === this.turnId ? this.#inTurn(entry, event) : [];
  }

  #begin(entry: ReadEntry, event: SessionEvent): TurnPiece[] {
    if (event.type === "prompt_withdrawn" && event.promptId === this.promptId) {
      this.outcome = "withdrawn";
      this.endSeq = entry.seq;
    }
    const isOurs = (event.type === "turn_started" || event.type === "prompt_delivered") && event.promptId === this.promptId;
    if (!isOurs) return [];
    this.turnId = event.turnId;
    this.thread = entry.thread;
    this.#files.begin();
    return [];
  }

  #inTurn(entry: ReadEntry, event: SessionEvent): TurnPiece[] {
    switch (event.type) {
      case "text_written":
        return event.parentToolId === undefined ? this.#text.written(event.block, event.text) : [];
      case "blocks_dropped":
        return event.blocks.flatMap((block) => this.#text.dropped(block));
      case "tool_started":
        return this.#toolStarted(event);
      case "tool_ended":
        return this.#toolEnded(event);
      case "approval_requested":
        this.#approvals.set(event.request.approvalId, codeApprovalOf(event.request, entry.at));
        return [];
      case "approval_answered":
      case "approval_expired":
      case "approval_withdrawn":
        return this.#approvals.delete(event.approvalId) ? [{ type: "approval_closed", approvalId: event.approvalId }] : [];
      case "turn_ended":
        return this.#end(entry, event);
      default:
        return [];
    }
  }

  #toolStarted({ toolId, tool, input, parentToolId }: Event<"tool_started">): TurnPiece[] {
    if (parentToolId !== undefined) return [];
    const subject = toolSubject(input);
    this.#tools.set(toolId, { tool, subject });
    return [{ type: "tool", toolId, tool, subject, state: "started" }];
  }

  #toolEnded({ toolId, ok, path, patch }: Event<"tool_ended">): TurnPiece[] {
    if (ok && path !== undefined && patch !== undefined) this.#files.touch(path);
    const known = this.#tools.get(toolId);
    if (known === undefined) return [];
    this.#tools.delete(toolId);
    return [{ type: "tool", toolId, ...known, state: ok ? "ended" : "failed" }];
  }

  #end(entry: ReadEntry, event: Event<"turn_ended">): TurnPiece[] {
    const closed = this.approvals.map(({ id }): TurnPiece => ({ type: "approval_closed", approvalId: id }));
    this.#approvals.clear();
    this.outcome = event.outcome;
    this.problem = event.problem ?? null;
    this.usage = event.usage;
    this.endSeq = entry.seq;
    return [...this.#text.end(), ...closed];
  }
}

/** One line that says what a tool is used on. */
export function toolSubject(input: Record<string, unknown>): string {
  const field = SUBJECT_FIELDS.find((name) => typeof input[name] === "string");
  const [line = ""] = String(field === undefined ? "" : input[field]).split("\n");
  return line.slice(0, SUBJECT_CHARS);
}
