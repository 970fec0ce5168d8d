import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OUTBOX_FRAME_CHARS, OUTBOX_FRAME_ITEMS, OUTBOX_IN_FLIGHT_CHARS } from "../config.ts";
import { Outbox } from "./outbox.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "outbox-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const append = (outbox: Outbox, text: string): number =>
  outbox.append({ at: 1, thread: "main", turnId: null, body: { type: "notice", level: "info", text } });
const drain = (outbox: Outbox): number[] => {
  const numbers: number[] = [];
  for (let items = outbox.next(); items.length > 0; items = outbox.next()) numbers.push(...items.map((item) => item.rseq));
  return numbers;
};

describe("outbox", () => {
  it("[RN3] numbers from 1 without gaps and sends each once a connection", () => {
    const outbox = new Outbox(folder, 1);
    expect([append(outbox, "a"), append(outbox, "b"), append(outbox, "c")]).toEqual([1, 2, 3]);
    expect(drain(outbox)).toEqual([1, 2, 3]);
    expect(drain(outbox)).toEqual([]);
    append(outbox, "d");
    expect(drain(outbox)).toEqual([4]);
  });

  it("[RN4] sends again what was not acknowledged", () => {
    const outbox = new Outbox(folder, 1);
    for (const text of ["a", "b", "c"]) append(outbox, text);
    drain(outbox);
    outbox.acknowledge(1);
    outbox.acknowledge(1);
    outbox.rewind();
    expect(drain(outbox)).toEqual([2, 3]);
    outbox.acknowledge(3);
    outbox.acknowledge(2);
    outbox.rewind();
    expect(drain(outbox)).toEqual([]);
    expect(outbox.heldCount).toBe(0);
  });

  it("goes on after a crash in the same incarnation, without a torn line", () => {
    const before = new Outbox(folder, 1);
    for (const text of ["a", "b", "c"]) append(before, text);
    before.acknowledge(1);
    appendFileSync(path.join(folder, "1.jsonl"), '{"rseq":4,"at":1,"thr');
    const after = new Outbox(folder, 1);
    expect(after.lastRseq).toBe(3);
    expect(append(after, "d")).toBe(4);
    expect(drain(after)).toEqual([2, 3, 4]);
    expect(new Outbox(folder, 1).lastRseq).toBe(4);
  });

  it("keeps counting after everything was acknowledged and the journal was emptied", () => {
    const before = new Outbox(folder, 1);
    append(before, "a".repeat(1_000));
    before.acknowledge(1);
    expect(readFileSync(path.join(folder, "1.jsonl"), "utf8")).toBe("ack 1\n");
    expect(append(new Outbox(folder, 1), "b")).toBe(2);
  });

  it("[RN3] never reuses numbers that the session has, even when its journal is gone", () => {
    const before = new Outbox(folder, 1);
    append(before, "a");
    truncateSync(path.join(folder, "1.jsonl"));
    const after = new Outbox(folder, 1);
    after.acknowledge(7);
    expect(append(after, "b")).toBe(8);
    expect(drain(after)).toEqual([8]);
  });

  it("[RN1] starts anew in a new incarnation and removes the older journal", () => {
    append(new Outbox(folder, 1), "a");
    const next = new Outbox(folder, 2);
    expect(next.lastRseq).toBe(0);
    append(next, "b");
    expect(readdirSync(folder)).toEqual(["2.jsonl"]);
  });

  it("bounds a frame by items and by size, and what is in flight", () => {
    const outbox = new Outbox(folder, 1);
    for (let index = 0; index <= OUTBOX_FRAME_ITEMS; index += 1) append(outbox, "x");
    expect(outbox.next()).toHaveLength(OUTBOX_FRAME_ITEMS);
    expect(outbox.next()).toHaveLength(1);
    outbox.acknowledge(outbox.lastRseq);
    const size = 200_000;
    for (let index = 0; index < 30; index += 1) append(outbox, "y".repeat(size));
    expect(outbox.next().length * size).toBeLessThanOrEqual(OUTBOX_FRAME_CHARS);
    outbox.rewind();
    const inFlight = drain(outbox).length;
    expect(inFlight * size).toBeLessThanOrEqual(OUTBOX_IN_FLIGHT_CHARS);
    outbox.acknowledge(201 + inFlight);
    expect(drain(outbox)).toHaveLength(30 - inFlight);
  });

  it("sends an item that is larger than a frame by itself", () => {
    const outbox = new Outbox(folder, 1);
    append(outbox, "small");
    append(outbox, "z".repeat(OUTBOX_FRAME_CHARS + 1));
    expect([outbox.next().length, outbox.next().length]).toEqual([1, 1]);
  });
});
