/**
 * Which rows stand on the screen, in order: the fold of finished turns applied, and at the end the prompts that are on their
 * way. Pure. While no turn is open the queue's head and this browser's own unsent prompts are shown here; during a turn they
 * are the composer's chips, so that nothing stands between a turn and its end.
 */
import type { OutboxPrompt } from "../session/outbox.ts";
import { MAIN_THREAD_NAME } from "../session/threads.ts";
import type { Rows } from "./row-set.ts";
import { isFoldable, promptRowId, type PromptRow, type Row } from "./rows.ts";

/** What a person opened or closed by hand, by row id; it wins over every default. */
export type Toggles = ReadonlyMap<string, boolean>;

export interface View {
  ids: readonly string[];
  /** Rows that are not in the log yet. */
  tail: ReadonlyMap<string, PromptRow>;
}

/** The thread that is shown, and whether a turn of it is open. */
export interface Shown {
  thread: string;
  hasOpenTurn: boolean;
}

/** Ids of prompts that the transcript shows although no turn has taken them. */
export function promptsInTranscript(rows: Rows, outbox: readonly OutboxPrompt[], { thread, hasOpenTurn }: Shown): string[] {
  if (hasOpenTurn) return [];
  const head = rows.waiting.find((promptId) => rows.prompts.get(promptId)?.thread === thread);
  const unsent = outbox
    .filter((prompt) => !rows.prompts.has(prompt.promptId) && (prompt.thread ?? MAIN_THREAD_NAME) === thread)
    .map((prompt) => prompt.promptId);
  return head === undefined ? unsent.slice(0, 1) : [head];
}

/** A thread's own rows, and what concerns the session as a whole. */
const isOf = (row: Row, thread: string): boolean => row.thread === thread || (row.kind === "status" && row.turnId === null);

export function buildView(rows: Rows, outbox: readonly OutboxPrompt[], toggles: Toggles, shown: Shown): View {
  const ids: string[] = [];
  const folded = new Set<string>();
  for (const id of rows.ids) {
    const row = rows.byId.get(id);
    if (row === undefined || !isOf(row, shown.thread)) continue;
    if (row.kind === "work") {
      if (row.outcome === null || row.foldable === 0) continue;
      if (toggles.get(row.id) !== true) folded.add(row.turnId);
      ids.push(id);
    } else if (row.turnId === null || !folded.has(row.turnId) || !isFoldable(row) || toggles.get(row.id) === true) ids.push(id);
  }
  const tail = tailOf(rows, outbox, shown);
  return { ids: [...ids, ...tail.keys()], tail };
}

function tailOf(rows: Rows, outbox: readonly OutboxPrompt[], shown: Shown): Map<string, PromptRow> {
  const tail = new Map<string, PromptRow>();
  for (const promptId of promptsInTranscript(rows, outbox, shown)) {
    const id = promptRowId(promptId);
    const common = { id, seq: null, thread: shown.thread, turnId: null, kind: "prompt" as const, promptId, isSteering: false };
    const known = rows.prompts.get(promptId);
    const mine = outbox.find((prompt) => prompt.promptId === promptId);
    if (known !== undefined)
      tail.set(id, {
        ...common,
        at: known.at,
        text: known.text,
        author: known.author,
        delivery: known.delivery,
        status: "waiting",
        message: null,
      });
    else if (mine !== undefined) {
      const status = mine.status === "waiting" ? "sending" : mine.status;
      tail.set(id, {
        ...common,
        at: mine.createdAt,
        text: mine.text,
        author: null,
        delivery: mine.delivery,
        status,
        message: mine.message ?? null,
      });
    }
  }
  return tail;
}

/** An edit opens to its diff by itself while that fits on a screen. */
const SHORT_PATCH_CHARS = 3_000;
const isShortPatch = (patch: string | null) => patch !== null && patch !== "" && patch.length <= SHORT_PATCH_CHARS;

/** Whether a row's own disclosure is open: by hand, else by what the row is. */
export function isOpen(row: Row, toggles: Toggles): boolean {
  const byHand = toggles.get(row.id);
  if (byHand !== undefined) return byHand;
  if (row.kind === "tool") return row.result !== null && (!row.result.ok || isShortPatch(row.result.patch));
  if (row.kind === "execution") return row.end?.status !== "completed";
  return row.kind === "thinking" && row.isLive;
}
