/**
 * Folds the log into rows. Deterministic: no clock, no I/O; the same entries give the same rows however they were split into
 * frames, with or without the streamed text between them. Tolerant: a log may be loaded from its middle on.
 */
import type { ReadEntry, RunnerEvent, SessionEvent } from "@ai-dev-platform/protocol/events";
import { foldExecution } from "./executions.ts";
import { foldStatus } from "./fold-status.ts";
import { addRow, base, emptyRows, place, removeRow, setRow, type Envelope, type Rows, type TurnRecord } from "./row-set.ts";
import { approvalRowId, blockRowId, isFoldable, promptRowId, toolRowId, workRowId, type ToolRow, type WorkRow } from "./rows.ts";

export function foldEntry(rows: Rows, entry: ReadEntry): void {
  const { event } = entry;
  if (entry.turnId !== null) ensureTurn(rows, entry.turnId, entry);
  if (event.type === "unsupported")
    return addRow(rows, {
      ...base(entry),
      id: `event:${entry.seq}`,
      kind: "status",
      detail: { what: "unsupported", original: event.original },
    });
  if (
    foldPrompt(rows, event, entry) ||
    foldTurn(rows, event, entry) ||
    foldBlock(rows, event, entry) ||
    foldTool(rows, event, entry) ||
    foldApproval(rows, event, entry) ||
    foldExecution(rows, event, entry)
  )
    return;
  foldStatus(rows, event, entry);
}

export const foldAll = (entries: readonly ReadEntry[]): Rows => {
  const rows = emptyRows();
  for (const entry of entries) foldEntry(rows, entry);
  return rows;
};

/** A turn's record and its work row. A turn whose start is not loaded begins where it is first seen. */
function ensureTurn(rows: Rows, turnId: string, entry: Envelope): void {
  if (rows.turns.has(turnId)) return;
  rows.turns.set(turnId, { rowIds: [], openTools: new Set(), files: new Set() });
  if (entry.turnId === turnId) rows.openTurns.set(entry.thread, turnId);
  const work: WorkRow = {
    ...base(entry),
    id: workRowId(turnId),
    kind: "work",
    turnId,
    outcome: null,
    durationMs: null,
    steps: 0,
    files: 0,
    foldable: 0,
  };
  rows.ids.push(work.id);
  setRow(rows, work);
  rows.structure++;
}

function updateWork(rows: Rows, turnId: string | null, change: (work: WorkRow) => Partial<WorkRow>): void {
  const work = turnId === null ? undefined : rows.byId.get(workRowId(turnId));
  if (work?.kind === "work") setRow(rows, { ...work, ...change(work) });
}

function foldPrompt(rows: Rows, event: SessionEvent, entry: ReadEntry): boolean {
  switch (event.type) {
    case "prompt_queued":
      rows.prompts.set(event.promptId, {
        promptId: event.promptId,
        thread: entry.thread,
        text: event.text,
        author: event.author,
        delivery: event.delivery,
        at: entry.at,
        seq: entry.seq,
      });
      rows.waiting.push(event.promptId);
      break;
    case "prompt_edited": {
      const known = rows.prompts.get(event.promptId);
      if (known !== undefined) rows.prompts.set(event.promptId, { ...known, text: event.text });
      break;
    }
    case "prompt_moved": {
      const rest = rows.waiting.filter((id) => id !== event.promptId);
      if (rest.length === rows.waiting.length) break;
      // The position is among the thread's own prompts: those of others stay where they are.
      const thread = rows.prompts.get(event.promptId)?.thread;
      const after = rest.filter((id) => rows.prompts.get(id)?.thread === thread)[event.position];
      rows.waiting = after === undefined ? [...rest, event.promptId] : rest.flatMap((id) => (id === after ? [event.promptId, id] : [id]));
      break;
    }
    case "prompt_withdrawn":
      rows.waiting = rows.waiting.filter((id) => id !== event.promptId);
      break;
    case "prompt_delivered":
      takePrompt(rows, event.promptId, entry, event.turnId, true);
      break;
    default:
      return false;
  }
  rows.changed.add(promptRowId(event.promptId));
  rows.structure++;
  return true;
}

function takePrompt(rows: Rows, promptId: string, entry: Envelope, turnId: string, isSteering: boolean): void {
  const known = rows.prompts.get(promptId);
  rows.waiting = rows.waiting.filter((id) => id !== promptId);
  addRow(rows, {
    ...base(entry),
    turnId,
    id: promptRowId(promptId),
    kind: "prompt",
    promptId,
    text: known?.text ?? null,
    author: known?.author ?? null,
    delivery: known?.delivery ?? "queue",
    status: "taken",
    isSteering,
    message: null,
  });
}

function foldTurn(rows: Rows, event: SessionEvent, entry: ReadEntry): boolean {
  if (event.type === "turn_started") {
    // The prompt stands over the work line, whether or not the envelope named the turn already.
    removeRow(rows, workRowId(event.turnId));
    rows.turns.delete(event.turnId);
    takePrompt(rows, event.promptId, entry, event.turnId, false);
    ensureTurn(rows, event.turnId, { ...entry, turnId: event.turnId });
    return true;
  }
  if (event.type !== "turn_ended") return false;
  ensureTurn(rows, event.turnId, entry);
  closeTurn(rows, event.turnId, entry.thread);
  const turn = rows.turns.get(event.turnId);
  const foldable = (turn?.rowIds ?? []).filter((id) => {
    const row = rows.byId.get(id);
    return row !== undefined && isFoldable(row);
  }).length;
  updateWork(rows, event.turnId, () => ({ outcome: event.outcome, durationMs: event.durationMs, foldable }));
  const problem = event.problem ?? null;
  const end = { ...base(entry), turnId: event.turnId, id: `end:${event.turnId}`, kind: "status" as const };
  if (event.outcome === "stopped") addRow(rows, { ...end, detail: { what: "turn_stopped", durationMs: event.durationMs } });
  if (event.outcome === "interrupted")
    addRow(rows, { ...end, detail: { what: "turn_interrupted", durationMs: event.durationMs, problem } });
  if (event.outcome === "failed") addRow(rows, { ...end, detail: { what: "turn_failed", durationMs: event.durationMs, problem } });
  rows.structure++;
  return true;
}

/** What was still going on in the turn is over: unfinished tools, open requests, unfinished text. */
function closeTurn(rows: Rows, turnId: string, thread: string): void {
  const turn = rows.turns.get(turnId);
  for (const id of turn?.openTools ?? []) {
    const tool = rows.byId.get(id);
    if (tool?.kind === "tool") setRow(rows, { ...tool, isInterrupted: true });
  }
  turn?.openTools.clear();
  for (const id of turn?.rowIds ?? []) {
    const row = rows.byId.get(id);
    if (row?.kind === "approval" && row.outcome.type === "open") setRow(rows, { ...row, outcome: { type: "withdrawn" } });
  }
  for (const id of rows.liveIds) if (rows.byId.get(id)?.thread === thread) removeRow(rows, id);
  if (rows.openTurns.get(thread) === turnId) rows.openTurns.delete(thread);
}

function foldBlock(rows: Rows, event: SessionEvent, entry: ReadEntry): boolean {
  if (event.type === "blocks_dropped") {
    for (const block of event.blocks) {
      const id = blockRowId(entry.thread, block);
      rows.settledBlocks.add(id);
      const row = rows.byId.get(id);
      if (row !== undefined && "isLive" in row && row.isLive) removeRow(rows, id);
    }
    return true;
  }
  if (event.type !== "text_written" && event.type !== "thinking_written") return false;
  const id = blockRowId(entry.thread, event.block);
  rows.settledBlocks.add(id);
  const parentToolId = event.parentToolId ?? null;
  place(
    rows,
    { ...base(entry), id, kind: event.type === "text_written" ? "text" : "thinking", text: event.text, isLive: false, parentToolId },
    parentToolId,
  );
  return true;
}

type ToolEvent = Extract<RunnerEvent, { type: "tool_started" | "tool_ended" }>;

function foldTool(rows: Rows, event: SessionEvent, entry: ReadEntry): boolean {
  if (event.type !== "tool_started" && event.type !== "tool_ended") return false;
  const turn = rows.turns.get(entry.turnId ?? "");
  const id = toolRowId(event.toolId);
  if (event.type === "tool_started") {
    const row = startedTool(event, entry);
    place(rows, row, row.parentToolId);
    turn?.openTools.add(id);
    updateWork(rows, entry.turnId, (work) => ({ steps: work.steps + 1 }));
    return true;
  }
  endTool(rows, event, entry, turn);
  return true;
}

const startedTool = (event: Extract<ToolEvent, { type: "tool_started" }>, entry: ReadEntry): ToolRow => ({
  ...base(entry),
  id: toolRowId(event.toolId),
  kind: "tool",
  toolId: event.toolId,
  tool: event.tool,
  input: event.input,
  result: null,
  isInterrupted: false,
  parentToolId: event.parentToolId ?? null,
  childIds: [],
});

function endTool(rows: Rows, event: Extract<ToolEvent, { type: "tool_ended" }>, entry: ReadEntry, turn: TurnRecord | undefined): void {
  const id = toolRowId(event.toolId);
  turn?.openTools.delete(id);
  const result = {
    ok: event.ok,
    output: event.output,
    omittedChars: event.omittedChars,
    durationMs: event.durationMs,
    patch: event.patch ?? null,
    path: event.path ?? null,
  };
  const started = rows.byId.get(id);
  // The start may be older than what is loaded: the end alone still says what happened.
  if (started?.kind !== "tool")
    addRow(rows, { ...startedTool({ type: "tool_started", toolId: event.toolId, tool: "", input: {} }, entry), result });
  else setRow(rows, { ...started, result, isInterrupted: false });
  if (event.ok && event.path !== undefined && event.patch !== undefined && turn !== undefined) {
    turn.files.add(event.path);
    updateWork(rows, entry.turnId, () => ({ files: turn.files.size }));
  }
}

function foldApproval(rows: Rows, event: SessionEvent, entry: ReadEntry): boolean {
  switch (event.type) {
    case "approval_requested":
      addRow(rows, {
        ...base(entry),
        id: approvalRowId(event.request.approvalId),
        kind: "approval",
        request: event.request,
        outcome: { type: "open" },
      });
      return true;
    case "approval_answered":
    case "approval_expired":
    case "approval_withdrawn": {
      const row = rows.byId.get(approvalRowId(event.approvalId));
      if (row?.kind !== "approval") return true;
      const outcome =
        event.type === "approval_answered"
          ? { type: "answered" as const, answer: event.answer, author: event.author }
          : { type: event.type === "approval_expired" ? ("expired" as const) : ("withdrawn" as const) };
      setRow(rows, { ...row, outcome });
      rows.structure++;
      return true;
    }
    default:
      return false;
  }
}
