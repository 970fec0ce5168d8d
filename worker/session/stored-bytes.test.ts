import type { InheritedPart, SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { storedParts } from "@ai-dev-platform/protocol/snapshot";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addedBytes, storedBytesOf } from "./stored-bytes.ts";

const part = (n: number): InheritedPart => ({ snapshotId: `s${n}`, part: 0, bytes: 10 + n, sha256: n.toString(16).padStart(64, "0") });

const snapshot = (n: number, over: Partial<SnapshotRef> = {}): SnapshotRef => ({
  snapshotId: `s${n}`,
  parentId: null,
  format: 2,
  parts: [{ bytes: 10 + n, sha256: n.toString(16).padStart(64, "0") }],
  inherited: [],
  dependencies: [],
  treeBytes: 0,
  treeFiles: 0,
  leftOut: [],
  ...over,
});

describe("what saved states take", () => {
  it("counts a part once, however many states are read from it", () => {
    const first = snapshot(1);
    const second = snapshot(2, { inherited: [part(1)] });
    expect(storedBytesOf([])).toBe(0);
    expect(storedBytesOf([first, second])).toBe(11 + 12);
  });

  it("counts dependencies, and the conversation of a state of files alone", () => {
    const layer = { path: "node_modules", key: "0".repeat(64), parts: [part(7)], treeBytes: 1, treeFiles: 1 };
    const mixed = snapshot(3, { parts: [], inherited: [part(1)], agentParts: [part(1), part(2)], dependencies: [layer] });
    expect(storedBytesOf([mixed])).toBe(11 + 12 + 17);
    expect(storedParts(mixed)).toHaveLength(4);
  });

  it("adds up save by save to what a whole count says", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(20), { maxLength: 6 }), { minLength: 1, maxLength: 20 }), (drops) => {
        const all: SnapshotRef[] = [];
        let sum = 0;
        for (const [n, dropped] of drops.entries()) {
          const parent = all.at(-1) ?? null;
          // A save is read from its own part and from some of its parent's.
          const inherited = parent === null ? [] : storedParts(parent).filter((_one, index) => !dropped.includes(index));
          const next = snapshot(n, { inherited });
          sum += addedBytes(next, parent);
          all.push(next);
        }
        expect(sum).toBe(storedBytesOf(all));
      }),
    );
  });
});
