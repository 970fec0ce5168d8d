import type { TimelineEntry } from "@ai-dev-platform/protocol/queries";
import { describe, expect, it } from "vitest";
import { countChanges, pairOf } from "./state-changes.ts";

const state = (seq: number): TimelineEntry => ({
  snapshotId: `snp_${String(seq).padStart(26, "0")}`,
  seq,
  at: seq * 1_000,
  throughSeq: seq - 1,
  treeFiles: 1,
  treeBytes: 1,
  storedBytes: 1,
  label: "",
  isHead: false,
  leftOut: 0,
  dependencyBytes: 0,
});

describe("countChanges", () => {
  it("counts by kind, and how much the files grew", () => {
    const counts = countChanges([
      { path: "a", status: "added", bytesBefore: null, bytesAfter: 100 },
      { path: "b", status: "modified", bytesBefore: 50, bytesAfter: 20 },
      { path: "c", status: "deleted", bytesBefore: 10, bytesAfter: null },
      { path: "d", status: "added", bytesBefore: null, bytesAfter: 1 },
    ]);
    expect(counts).toEqual({ added: 2, modified: 1, deleted: 1, bytes: 61 });
  });

  it("is nothing for nothing", () => {
    expect(countChanges([])).toEqual({ added: 0, modified: 0, deleted: 0, bytes: 0 });
  });
});

describe("pairOf", () => {
  it("goes from the older to the newer, whichever was opened", () => {
    expect(pairOf(state(9), state(4))).toEqual({ from: state(4), to: state(9) });
    expect(pairOf(state(4), state(9))).toEqual({ from: state(4), to: state(9) });
  });

  it("leaves the state before to the session", () => {
    expect(pairOf(state(9), null)).toEqual({ from: null, to: state(9) });
  });
});
