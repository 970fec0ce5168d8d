/**
 * What the runner has to tell its session and may not lose (SPEC RN2–RN4): numbered from 1, on disk before it is sent,
 * kept until acknowledged. One journal per incarnation; those of earlier incarnations are fenced off and removed.
 * Owns numbering and the journal; knows nothing of sockets.
 */
import { appendFileSync, mkdirSync, readFileSync, readdirSync, rmSync, truncateSync } from "node:fs";
import path from "node:path";
import { outboxItemSchema, type OutboxBody, type OutboxItem } from "@ai-dev-platform/protocol/runner";
import { OUTBOX_FRAME_CHARS, OUTBOX_FRAME_ITEMS, OUTBOX_IN_FLIGHT_CHARS } from "../config.ts";

interface Held {
  item: OutboxItem;
  chars: number;
}

export interface Outbox {
  /** The newest number given; 0 for none. */
  readonly lastRseq: number;
  /** Items that are not acknowledged. */
  readonly held: number;
  append(entry: { at: number; thread: string; turnId: string | null; body: OutboxBody }): number;
  /** Items up to this number are in the session's log. Smaller or equal to an earlier one: nothing changes. */
  acknowledge(rseq: number): void;
  /** A new connection: everything after the acknowledged ones is to be sent again. */
  rewind(): void;
  /** The next frame's items, or none when all is sent or enough is in flight. */
  next(): OutboxItem[];
}

/** Reads a journal left by a process of the same incarnation. A torn last line was never sent: it is dropped. */
function readJournal(file: string): { held: Held[]; ackedRseq: number; lastRseq: number } {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return { held: [], ackedRseq: 0, lastRseq: 0 };
  }
  let ackedRseq = 0;
  const held: Held[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("ack ")) {
      ackedRseq = Math.max(ackedRseq, Number(line.slice(4)) || 0);
    } else if (line !== "") {
      const item = parseLine(line);
      if (item !== null) held.push({ item, chars: line.length });
    }
  }
  const lastRseq = Math.max(ackedRseq, held.at(-1)?.item.rseq ?? 0);
  return { held: held.filter(({ item }) => item.rseq > ackedRseq), ackedRseq, lastRseq };
}

function parseLine(line: string): OutboxItem | null {
  try {
    const parsed = outboxItemSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function removeOthers(folder: string, keep: string): void {
  for (const name of readdirSync(folder)) if (name !== keep) rmSync(path.join(folder, name), { force: true, recursive: true });
}

/** Opens the journal of one incarnation and removes those of others. */
export function openOutbox(folder: string, incarnation: number): Outbox {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const name = `${incarnation}.jsonl`;
  removeOthers(folder, name);
  const file = path.join(folder, name);
  const journal = readJournal(file);
  let held = journal.held;
  let { ackedRseq, lastRseq } = journal;
  /** Numbers up to this one were handed to the current connection. */
  let sentRseq = ackedRseq;
  let inFlightChars = 0;

  const write = (line: string): void => appendFileSync(file, `${line}\n`, { mode: 0o600 });

  return {
    get lastRseq() {
      return lastRseq;
    },
    get held() {
      return held.length;
    },
    append(entry) {
      const item: OutboxItem = { rseq: lastRseq + 1, ...entry };
      const line = JSON.stringify(item);
      write(line);
      lastRseq = item.rseq;
      held.push({ item, chars: line.length });
      return item.rseq;
    },
    acknowledge(rseq) {
      if (rseq <= ackedRseq) return;
      ackedRseq = Math.min(rseq, lastRseq);
      sentRseq = Math.max(sentRseq, ackedRseq);
      const rest = held.filter(({ item }) => item.rseq > ackedRseq);
      inFlightChars = rest.reduce((sum, one) => (one.item.rseq <= sentRseq ? sum + one.chars : sum), 0);
      held = rest;
      if (held.length === 0) truncateSync(file);
      write(`ack ${ackedRseq}`);
    },
    rewind() {
      sentRseq = ackedRseq;
      inFlightChars = 0;
    },
    next() {
      const frame: OutboxItem[] = [];
      let chars = 0;
      for (const { item, chars: size } of held) {
        if (item.rseq <= sentRseq) continue;
        if (frame.length === OUTBOX_FRAME_ITEMS) break;
        if (frame.length > 0 && chars + size > OUTBOX_FRAME_CHARS) break;
        if (inFlightChars > 0 && inFlightChars + chars + size > OUTBOX_IN_FLIGHT_CHARS) break;
        frame.push(item);
        chars += size;
      }
      sentRseq = frame.at(-1)?.rseq ?? sentRseq;
      inFlightChars += chars;
      return frame;
    },
  };
}
