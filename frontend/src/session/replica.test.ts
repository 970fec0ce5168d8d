import type { ReadEntry } from "@ai-dev-platform/protocol/events";
import { applyEntry, emptyState } from "@ai-dev-platform/protocol/state";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldAll } from "../transcript/fold.ts";
import { conversation, logOf } from "../transcript/log-fixture.ts";
import type { Rows } from "../transcript/row-set.ts";
import { emptyReplica, receiveEvents, receiveHistory, receiveLive, receiveWelcome, restoreEntries, type Replica } from "./replica.ts";

const LOG = logOf([...conversation, ...conversation.slice(1, 19)].map((event) => event));
const stateAt = (seq: number) => LOG.slice(0, seq).reduce(applyEntry, emptyState());
const shape = (rows: Rows) => ({ ids: rows.ids, rows: Object.fromEntries(rows.byId) });
const events = (entries: ReadEntry[], head = LOG.length) => ({ type: "events" as const, entries, head });

function welcome(replica: Replica, mode: "resume" | "reset", head: number): void {
  receiveWelcome(replica, {
    type: "welcome",
    version: 1,
    sessionId: "ses",
    mode,
    head,
    role: "owner",
    userId: "u",
    name: "U",
    state: stateAt(head),
    live: [],
    serverAt: 0,
  });
}

/** Cuts a log into frames, repeats some and swaps some, and connects again from the last one held wherever there is a gap. */
function deliver(replica: Replica, cuts: readonly number[], noise: readonly { at: number; what: "again" | "swap" }[]): number {
  let reconnects = 0;
  const framesFrom = (after: number) => {
    const frames: ReadEntry[][] = [];
    let rest = LOG.slice(after);
    for (const cut of cuts) {
      frames.push(rest.slice(0, cut));
      rest = rest.slice(cut);
    }
    return [...frames, rest].filter((frame) => frame.length > 0);
  };
  let frames = framesFrom(0);
  for (const { at, what } of noise) {
    const index = at % Math.max(1, frames.length);
    const frame = frames[index];
    if (frame === undefined) continue;
    if (what === "again") frames.splice(index, 0, frame);
    else frames = [...frames.slice(0, index), ...frames.slice(index + 1, index + 2), frame, ...frames.slice(index + 2)];
  }
  while (frames.length > 0) {
    const frame = frames.shift();
    if (frame === undefined || receiveEvents(replica, events(frame)) === "applied") continue;
    reconnects++;
    welcome(replica, "resume", LOG.length);
    frames = framesFrom(replica.lastSeq ?? 0);
  }
  return reconnects;
}

describe("replica", () => {
  it("[VS2] has the rows of the plain fold however frames are split, repeated or reordered", () => {
    const noise = fc.array(fc.record({ at: fc.nat(40), what: fc.constantFrom("again" as const, "swap" as const) }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 30 }), noise, (cuts, noises) => {
        const replica = emptyReplica();
        welcome(replica, "resume", 0);
        replica.lastSeq = 0;
        deliver(replica, cuts, noises);
        expect(shape(replica.rows)).toEqual(shape(foldAll(LOG)));
        expect(replica.entries.map((entry) => entry.seq)).toEqual(LOG.map((entry) => entry.seq));
      }),
    );
  });

  it("[SS2] folds each entry into the state once, whatever the welcome already held", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LOG.length }), fc.integer({ min: 0, max: LOG.length }), (held, head) => {
        const replica = emptyReplica();
        restoreEntries(replica, LOG.slice(0, held), stateAt(held));
        welcome(replica, held === 0 ? "reset" : "resume", Math.max(head, held));
        receiveEvents(replica, events(LOG.slice(held)));
        expect(replica.state).toEqual(stateAt(LOG.length));
      }),
    );
  });

  it("[VS2] takes nothing behind a gap", () => {
    const replica = emptyReplica();
    welcome(replica, "reset", LOG.length);
    receiveEvents(replica, events(LOG.slice(0, 4)));
    expect(receiveEvents(replica, events(LOG.slice(6)))).toBe("gap");
    expect(replica.lastSeq).toBe(4);
  });

  it("[VS3] drops its rows on a reset and begins where the session begins", () => {
    const replica = emptyReplica();
    restoreEntries(replica, LOG.slice(0, 6), stateAt(6));
    welcome(replica, "reset", LOG.length);
    receiveEvents(replica, events(LOG.slice(20)));
    expect(replica.entries[0]?.seq).toBe(21);
    expect(replica.hasOlder).toBe(true);
    expect(shape(replica.rows)).toEqual(shape(foldAll(LOG.slice(20))));
  });

  it("[VS4] puts older pages before what it holds, with the rows of the plain fold", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: LOG.length - 1 }), fc.integer({ min: 1, max: 9 }), (from, page) => {
        const replica = emptyReplica();
        welcome(replica, "reset", LOG.length);
        receiveEvents(replica, events(LOG.slice(from)));
        for (let end = from; end > 0; end -= page) receiveHistory(replica, LOG.slice(Math.max(0, end - page), end), end - page <= 0);
        expect(shape(replica.rows)).toEqual(shape(foldAll(LOG)));
        expect(replica.hasOlder).toBe(false);
      }),
    );
  });

  it("keeps rows that an older page does not explain anew as the same objects", () => {
    const replica = emptyReplica();
    welcome(replica, "reset", 23);
    receiveEvents(replica, events(LOG.slice(9, 23), 23));
    const before = new Map(replica.rows.byId);
    receiveHistory(replica, LOG.slice(0, 9), true);
    const same = [...before].filter(([rowId, row]) => replica.rows.byId.get(rowId) === row).map(([rowId]) => rowId);
    expect(same).toContain("block:main:m3:0");
    expect(same).toContain("tool:t4");
    expect(same).not.toContain("tool:t3");
  });

  it("does not take a page that does not fit", () => {
    const replica = emptyReplica();
    welcome(replica, "reset", LOG.length);
    receiveEvents(replica, events(LOG.slice(20)));
    receiveHistory(replica, LOG.slice(3, 9), false);
    expect(replica.entries[0]?.seq).toBe(21);
  });

  it("[LV1] [LV3] has the same rows with streamed text in between as without", () => {
    const live = fc.array(
      fc.record({
        after: fc.nat(LOG.length),
        block: fc.constantFrom("m1:0", "m3:0", "ghost"),
        offset: fc.nat(6),
        text: fc.string({ maxLength: 6 }),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(live, (pieces) => {
        const replica = emptyReplica();
        welcome(replica, "reset", LOG.length);
        for (const entry of LOG) {
          for (const piece of pieces)
            if (piece.after === entry.seq) receiveLive(replica, { type: "live", thread: "main", kind: "text", ...piece }, 0);
          receiveEvents(replica, events([entry]));
        }
        receiveEvents(
          replica,
          events([{ seq: LOG.length + 1, at: 0, thread: "main", turnId: null, event: { type: "blocks_dropped", blocks: ["ghost"] } }]),
        );
        expect(shape(replica.rows)).toEqual(shape(foldAll(LOG)));
      }),
    );
  });
});
