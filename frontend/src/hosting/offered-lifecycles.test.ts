import { emptyState } from "@ai-dev-platform/protocol/state";
import { expect, it } from "vitest";
import { offeredLifecycles } from "./offered-lifecycles.ts";

const saved = { snapshotId: "snp_1", throughSeq: 1, at: 1, treeFiles: 1, storedBytes: 1, leftOut: [] };

it("[LC3] offers what the session may change to", () => {
  const state = emptyState();
  expect(offeredLifecycles(state)).toEqual(["hydrated", "long-running", "ephemeral", "multi-agent"]);
  expect(offeredLifecycles({ ...state, saved })).not.toContain("ephemeral");
  expect(offeredLifecycles({ ...state, saved, lifecycle: "ephemeral" })).toContain("ephemeral");
  const several = [...state.threads, ...state.threads.map((one) => ({ ...one, thread: "docs" }))];
  expect(offeredLifecycles({ ...state, lifecycle: "multi-agent", threads: several })).toEqual(["multi-agent"]);
  expect(offeredLifecycles({ ...state, lifecycle: "multi-agent" })).toContain("hydrated");
});
