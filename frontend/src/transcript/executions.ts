/** Programs that ran in the workspace, as rows: begun and ended by entries of the log, with their output between by live frames (SPEC EX). */
import type { ReadEntry, SessionEvent } from "@ai-dev-platform/protocol/events";
import type { SessionFrame } from "@ai-dev-platform/protocol/viewer";
import { addRow, base, setRow, type Rows } from "./row-set.ts";
import { executionRowId, type ExecutionRow, type OutputTail } from "./rows.ts";

/** Of a running program, and of each stream: a screen's worth many times over. */
const TAIL_CHARS = 40_000;
const EMPTY: OutputTail = { from: 0, text: "" };

export function foldExecution(rows: Rows, event: SessionEvent, entry: ReadEntry): boolean {
  if (event.type !== "execution_started" && event.type !== "execution_ended") return false;
  const { executionId } = event;
  const id = executionRowId(executionId);
  const known = rows.byId.get(id);
  const row: ExecutionRow =
    known?.kind === "execution"
      ? known
      : {
          ...base(entry),
          id,
          kind: "execution",
          executionId,
          what: "",
          language: null,
          author: null,
          stdout: EMPTY,
          stderr: EMPTY,
          end: null,
        };
  // The start may be older than what is loaded: the end alone still says what came of it.
  const next =
    event.type === "execution_ended"
      ? { ...row, stdout: EMPTY, stderr: EMPTY, end: event }
      : { ...row, what: event.what, language: event.language, author: event.author };
  if (known === undefined) addRow(rows, next);
  else setRow(rows, next);
  return true;
}

/** A piece that repeats is cut; after a hole it goes on from there, since the end brings the whole. */
export function applyOutput(rows: Rows, { executionId, stream, offset, text }: Extract<SessionFrame, { type: "execution_output" }>): void {
  const row = rows.byId.get(executionRowId(executionId));
  if (row?.kind !== "execution" || row.end !== null) return;
  const held = row[stream];
  const end = held.from + held.text.length;
  if (offset + text.length <= end) return;
  const whole = offset > end ? { from: offset, text } : { from: held.from, text: held.text + text.slice(end - offset) };
  const cut = Math.max(0, whole.text.length - TAIL_CHARS);
  setRow(rows, { ...row, [stream]: { from: whole.from + cut, text: whole.text.slice(cut) } });
}
