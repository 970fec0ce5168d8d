/**
 * Which part of a session was direct, and what was said there and elsewhere (SPEC DI3, DI4). Owns `direct_spans` (from the
 * event that led there to the one that led away) and `direct_told` (how far each agent was told what was said directly).
 *
 * The model that answers directly hears what people and agents said before; an agent that comes back hears what was said
 * without it, as quotation before its next prompt. Both are read from the log and bounded.
 */
import { readEvent, type SessionEvent } from "@ai-dev-platform/protocol/events";
import { MAX_PROMPT_CHARS } from "@ai-dev-platform/protocol/limits";
import type { Talk, TalkItem } from "./api.ts";
import { placeSchema, readPlace, type Place } from "./place.ts";

/** Of one thing that was said, and of all that is quoted. */
const MAX_ITEM_CHARS = 6_000;
const MAX_TALK_CHARS = 40_000;
const MAX_PREFACE_CHARS = 20_000;
/** Entries that are looked through for it. */
const MAX_ENTRIES = 600;
/** Room for the words around a quotation. */
const FRAME_CHARS = 1_000;

type Which = "direct" | "elsewhere";
type Row = { seq: number; event: string };

const IN_SPAN = `EXISTS (SELECT 1 FROM direct_spans s WHERE e.seq > s.from_seq AND (s.to_seq IS NULL OR e.seq < s.to_seq))`;
const SAID = `('turn_started', 'prompt_delivered', 'text_written', 'rewound')`;

/** Where it was before, and the machine that it ran on there, where any would have done. */
export interface LeftPlace {
  place: Place;
  ranOn: string | null;
}

export function enterDirect(sql: SqlStorage, seq: number, left: LeftPlace | null): void {
  sql.exec(
    `INSERT INTO direct_spans (from_seq, to_seq, left_place, left_machine) VALUES (?, NULL, ?, ?)`,
    seq,
    left === null ? null : JSON.stringify(placeSchema.parse(left.place)),
    left?.ranOn ?? null,
  );
}

export function leaveDirect(sql: SqlStorage, seq: number): void {
  sql.exec(`UPDATE direct_spans SET to_seq = ? WHERE to_seq IS NULL`, seq);
}

/** Null: it began as a direct session. */
export function placeLeft(sql: SqlStorage): LeftPlace | null {
  const row = sql
    .exec<{ left_place: string | null; left_machine: string | null }>(
      `SELECT left_place, left_machine FROM direct_spans WHERE to_seq IS NULL`,
    )
    .toArray()[0];
  return row === undefined || row.left_place === null ? null : { place: readPlace(row.left_place), ranOn: row.left_machine };
}

/** Whether a turn with files of its own ended after this. What is said directly leaves no files. */
export const hasFilesTurnAfter = (sql: SqlStorage, seq: number): boolean =>
  sql
    .exec(
      `SELECT 1 AS one FROM events e WHERE e.seq > ? AND e.event ->> '$.type' IN ('turn_ended', 'execution_ended') AND NOT ${IN_SPAN} LIMIT 1`,
      seq,
    )
    .toArray().length > 0;

/** What was said in a thread after an entry, while agents with a computer were there. */
export function talkElsewhere(sql: SqlStorage, thread: string, afterSeq: number, throughSeq: number): Talk {
  return { ...readTalk(sql, { thread, afterSeq, which: "elsewhere", maxChars: MAX_TALK_CHARS }), throughSeq };
}

/**
 * The prompt as the agent is given it: after what was said directly since it was here. A command of the agent's own has to
 * come first in a prompt, so that the next one tells it.
 */
export function withDirectTalk(sql: SqlStorage, thread: string, text: string, throughSeq: number): string {
  const isNeeded = sql.exec(`SELECT 1 AS one FROM direct_spans LIMIT 1`).toArray().length > 0;
  const maxChars = Math.min(MAX_PREFACE_CHARS, MAX_PROMPT_CHARS - text.length - FRAME_CHARS);
  if (!isNeeded || text.startsWith("/") || maxChars < FRAME_CHARS) return text;
  const told =
    sql.exec<{ through_seq: number }>(`SELECT through_seq FROM direct_told WHERE thread = ?`, thread).toArray()[0]?.through_seq ?? 0;
  const { items, isCut } = readTalk(sql, { thread, afterSeq: told, which: "direct", maxChars });
  sql.exec(
    `INSERT INTO direct_told (thread, through_seq) VALUES (?1, ?2) ON CONFLICT (thread) DO UPDATE SET through_seq = ?2`,
    thread,
    throughSeq,
  );
  return items.length === 0 ? text : prefaceText(items, isCut, text);
}

function prefaceText(items: readonly TalkItem[], isCut: boolean, text: string): string {
  const lines = items.map(({ who, text: said }) => `${who === "person" ? "Person" : who === "agent" ? "Model" : "Note"}: ${said}`);
  return [
    "While no computer was connected, this session went on with the model directly, which could only talk and read saved files.",
    "This is what was said there, quoted for you to know; nothing of it was carried out:",
    "<said-directly>",
    ...(isCut ? ["(Earlier parts are left out.)"] : []),
    ...lines,
    "</said-directly>",
    "",
    "Now the person's prompt to you:",
    "",
    text,
  ].join("\n");
}

interface Wanted {
  thread: string;
  afterSeq: number;
  which: Which;
  maxChars: number;
}

/** The newest that fit, oldest first. */
function readTalk(sql: SqlStorage, { thread, afterSeq, which, maxChars }: Wanted): { items: TalkItem[]; isCut: boolean } {
  const rows = sql
    .exec<Row>(
      `SELECT e.seq, e.event FROM events e WHERE e.seq > ? AND e.thread = ? AND e.event ->> '$.type' IN ${SAID}
         AND ${which === "direct" ? "" : "NOT "}${IN_SPAN} ORDER BY e.seq DESC LIMIT ?`,
      afterSeq,
      thread,
      MAX_ENTRIES,
    )
    .toArray();
  const items: TalkItem[] = [];
  let chars = 0;
  for (const { seq, event } of rows) {
    const item = itemOf(sql, seq, readEvent(JSON.parse(event)));
    if (item === null) continue;
    chars += item.text.length;
    if (chars > maxChars) return { items: items.toReversed(), isCut: true };
    items.push(item);
  }
  return { items: items.toReversed(), isCut: rows.length === MAX_ENTRIES };
}

function itemOf(sql: SqlStorage, seq: number, event: SessionEvent | { type: "unsupported" }): TalkItem | null {
  switch (event.type) {
    case "turn_started":
    case "prompt_delivered":
      return { who: "person", text: short(promptText(sql, event.promptId, seq)) };
    case "text_written":
      return event.parentToolId === undefined ? { who: "agent", text: short(event.text) } : null;
    case "rewound":
      return { who: "note", text: "The project's files were taken back to an earlier saved state here." };
    default:
      return null;
  }
}

/** As it was when it was taken: people may have edited it while it waited. */
function promptText(sql: SqlStorage, promptId: string, takenSeq: number): string {
  const row = sql
    .exec<{ text: string | null }>(
      `SELECT event ->> '$.text' AS text FROM events WHERE seq >= (SELECT seq FROM prompts WHERE prompt_id = ?1) AND seq < ?2
         AND event ->> '$.type' IN ('prompt_queued', 'prompt_edited') AND event ->> '$.promptId' = ?1 ORDER BY seq DESC LIMIT 1`,
      promptId,
      takenSeq,
    )
    .toArray()[0];
  return row?.text ?? "";
}

const short = (text: string): string => (text.length <= MAX_ITEM_CHARS ? text : `${text.slice(0, MAX_ITEM_CHARS)}…`);
