/**
 * What the runner has to tell its session and may not lose (SPEC RN2–RN4): numbered from 1, on disk before it is sent,
 * kept until acknowledged. One journal per incarnation; those of earlier incarnations are fenced off and removed.
 * Owns numbering and the journal; knows nothing of sockets.
 */
import { appendFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { outboxItemSchema, type OutboxBody, type OutboxItem } from "@ai-dev-platform/protocol/runner";
import { OUTBOX_FRAME_CHARS, OUTBOX_FRAME_ITEMS, OUTBOX_IN_FLIGHT_CHARS } from "../config.ts";

interface Held {
  item: OutboxItem;
  chars: number;
}

interface Journal {
  held: Held[];
  ackedRseq: number;
  lastRseq: number;
  /** The last line was cut off by a crash. It was never sent: an item is sent after it is written. */
  isTorn: boolean;
}

/** Reads a journal left by a process of the same incarnation. */
function readJournal(file: string): Journal {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return { held: [], ackedRseq: 0, lastRseq: 0, isTorn: false };
  }
  const lines = text.split("\n");
  const isTorn = lines.pop() !== "";
  let ackedRseq = 0;
  const held: Held[] = [];
  for (const line of lines) {
    const acked = /^ack (\d+)$/.exec(line)?.[1];
    if (acked !== undefined) ackedRseq = Math.max(ackedRseq, Number(acked));
    const item = acked === undefined ? parseLine(line) : null;
    if (item !== null) held.push({ item, chars: line.length });
  }
  const lastRseq = Math.max(ackedRseq, held.at(-1)?.item.rseq ?? 0);
  return { held: held.filter(({ item }) => item.rseq > ackedRseq), ackedRseq, lastRseq, isTorn };
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
export class Outbox {
  readonly #file: string;
  #held: Held[];
  #ackedRseq: number;
  #lastRseq: number;
  /** Numbers up to this one were handed to the current connection. */
  #sentRseq: number;
  #inFlightChars = 0;

  constructor(folder: string, incarnation: number) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const name = `${incarnation}.jsonl`;
    removeOthers(folder, name);
    this.#file = path.join(folder, name);
    const journal = readJournal(this.#file);
    this.#held = journal.held;
    this.#ackedRseq = journal.ackedRseq;
    this.#lastRseq = journal.lastRseq;
    this.#sentRseq = journal.ackedRseq;
    if (journal.isTorn) this.#rewrite();
  }

  /** The newest number given; 0 for none. */
  get lastRseq(): number {
    return this.#lastRseq;
  }

  /** How many items are not acknowledged. */
  get heldCount(): number {
    return this.#held.length;
  }

  append(entry: { at: number; thread: string; turnId: string | null; body: OutboxBody }): number {
    const item: OutboxItem = { rseq: this.#lastRseq + 1, ...entry };
    const line = JSON.stringify(item);
    appendFileSync(this.#file, `${line}\n`, { mode: 0o600 });
    this.#lastRseq = item.rseq;
    this.#held.push({ item, chars: line.length });
    return item.rseq;
  }

  /** Items up to this number are in the session's log. An earlier number changes nothing. */
  acknowledge(rseq: number): void {
    if (rseq <= this.#ackedRseq) return;
    // The session knows more than this journal, which was lost: numbers that are taken are not given again.
    this.#lastRseq = Math.max(this.#lastRseq, rseq);
    this.#ackedRseq = rseq;
    this.#sentRseq = Math.max(this.#sentRseq, rseq);
    this.#held = this.#held.filter(({ item }) => item.rseq > rseq);
    this.#inFlightChars = this.#held.reduce((sum, one) => (one.item.rseq <= this.#sentRseq ? sum + one.chars : sum), 0);
    if (this.#held.length === 0) this.#rewrite();
    else appendFileSync(this.#file, `ack ${rseq}\n`);
  }

  /** A new connection: everything after the acknowledged items is to be sent again. */
  rewind(): void {
    this.#sentRseq = this.#ackedRseq;
    this.#inFlightChars = 0;
  }

  /** The next frame's items, or none when all is sent or enough is in flight. */
  next(): OutboxItem[] {
    const frame: OutboxItem[] = [];
    let chars = 0;
    for (const { item, chars: size } of this.#held) {
      if (item.rseq <= this.#sentRseq) continue;
      if (frame.length === OUTBOX_FRAME_ITEMS) break;
      if (frame.length > 0 && chars + size > OUTBOX_FRAME_CHARS) break;
      if (this.#inFlightChars > 0 && this.#inFlightChars + chars + size > OUTBOX_IN_FLIGHT_CHARS) break;
      frame.push(item);
      chars += size;
    }
    this.#sentRseq = frame.at(-1)?.rseq ?? this.#sentRseq;
    this.#inFlightChars += chars;
    return frame;
  }

  /** Leaves in the journal what is still needed. */
  #rewrite(): void {
    const lines = [`ack ${this.#ackedRseq}`, ...this.#held.map(({ item }) => JSON.stringify(item))];
    const fresh = `${this.#file}.new`;
    writeFileSync(fresh, `${lines.join("\n")}\n`, { mode: 0o600 });
    renameSync(fresh, this.#file);
  }
}
