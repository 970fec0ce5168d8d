import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseKept, inheritsFrom, KEPT_DAYS, KEPT_NEWEST, unreferencedParts, type DatedSnapshot } from "./retention.ts";

const DAY_MS = 86_400_000;
const part = (n: number) => ({ bytes: 10 + n, sha256: n.toString(16).padStart(64, "0") });
const snapshot = (n: number, inheritedFrom: readonly number[] = []): SnapshotRef => ({
  snapshotId: `s${n}`,
  parentId: n === 0 ? null : `s${n - 1}`,
  format: 2,
  parts: [part(n)],
  dependencies: [],
  inherited: inheritedFrom.map((from) => ({ ...part(from), snapshotId: `s${from}`, part: 0 })),
  treeBytes: 0,
  treeFiles: 0,
  leftOut: [],
});

describe("what is kept", () => {
  it("[SN5] keeps the newest, then the last of each day, then nothing", () => {
    const now = 200 * DAY_MS;
    const list = Array.from({ length: 400 }, (_, n): DatedSnapshot => ({ ref: snapshot(400 - n), savedAt: now - n * (DAY_MS / 2) }));
    const { kept, dropped } = chooseKept(list, now);
    expect(kept.slice(0, KEPT_NEWEST)).toEqual(list.slice(0, KEPT_NEWEST));
    const older = kept.slice(KEPT_NEWEST).map(({ savedAt }) => Math.floor(savedAt / DAY_MS));
    expect(new Set(older).size).toBe(older.length);
    expect(Math.min(...kept.map(({ savedAt }) => savedAt))).toBeGreaterThan(now - KEPT_DAYS * DAY_MS);
    expect(kept.length + dropped.length).toBe(400);
  });

  it("[SN5, SN6] keeps the state that people are on their way back to", () => {
    const now = 200 * DAY_MS;
    const list = Array.from({ length: KEPT_NEWEST + 1 }, (_, n): DatedSnapshot => ({ ref: snapshot(400 - n), savedAt: now }));
    const oldest = list.at(-1)?.ref.snapshotId ?? "";
    expect(chooseKept(list, now).dropped.map(({ ref }) => ref.snapshotId)).toEqual([oldest]);
    expect(chooseKept(list, now, oldest).dropped).toEqual([]);
  });

  it("[SN5] never removes a part that a kept snapshot is read from, and leaves none that is not", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(30), { maxLength: 6 }), { minLength: 1, maxLength: 30 }), fc.nat(30), (inherits, cut) => {
        const all = inherits.map((from, n) =>
          snapshot(
            n,
            [...new Set(from)].filter((each) => each < n),
          ),
        );
        const [dropped, kept] = [all.slice(0, cut), all.slice(cut)];
        const removed = new Set(unreferencedParts(dropped, kept).map(({ snapshotId }) => snapshotId));
        const needed = new Set(kept.flatMap((ref) => [ref.snapshotId, ...ref.inherited.map(({ snapshotId }) => snapshotId)]));
        for (const { snapshotId } of dropped) expect(removed.has(snapshotId)).toBe(!needed.has(snapshotId));
        for (const { snapshotId } of kept) expect(removed.has(snapshotId)).toBe(false);
      }),
    );
  });
});

describe("parts that are read for other than files", () => {
  const layer = {
    path: "node_modules",
    key: "0".repeat(64),
    parts: [{ ...part(8), snapshotId: "s8", part: 0 }],
    treeBytes: 1,
    treeFiles: 1,
  };
  const mixed: SnapshotRef = { ...snapshot(4), agentParts: [{ ...part(9), snapshotId: "s9", part: 0 }], dependencies: [layer] };
  it("[SN5][SN15] are kept with the state that needs them, and go with it", () => {
    expect(unreferencedParts([snapshot(9), snapshot(8)], [mixed])).toEqual([]);
    expect(unreferencedParts([mixed], []).map(({ snapshotId }) => snapshotId)).toEqual(["s4", "s9", "s8"]);
  });
  it("[SN15] may be built on", () => expect(inheritsFrom(snapshot(5, [4, 9]), mixed)).toBe(true));
});

describe("what a snapshot builds on", () => {
  const parent = snapshot(3, [1, 2]);
  it("[SN1] may be any part of its parent", () => {
    expect(inheritsFrom(snapshot(4, [1, 2, 3]), parent)).toBe(true);
    expect(inheritsFrom(snapshot(0), null)).toBe(true);
  });
  it("[SN1] may be nothing else, and nothing that only has the same name", () => {
    expect(inheritsFrom(snapshot(4, [0]), parent)).toBe(false);
    expect(inheritsFrom(snapshot(4, [1]), null)).toBe(false);
    const forged = snapshot(4, [1]);
    expect(inheritsFrom({ ...forged, dependencies: [], inherited: [{ ...part(9), snapshotId: "s1", part: 0 }] }, parent)).toBe(false);
  });
});
