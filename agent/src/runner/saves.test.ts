import { describe, expect, it } from "vitest";
import type { RunnerFrame } from "@ai-dev-platform/protocol/runner";
import { Saves } from "./saves.ts";
import { testId } from "./testing/ids.ts";
import type { SaveResult } from "./workspace/save.ts";

function rig(ids: Record<string, string> = {}) {
  const frames: RunnerFrame[] = [];
  const started: ((result: SaveResult) => void)[] = [];
  const port = {
    workspace: { save: () => new Promise<SaveResult>((resolve) => started.push(resolve)), markCommitted: async () => undefined },
    send: (frame: RunnerFrame) => frames.push(frame) > 0,
    settled: async () => undefined,
    lastRseq: () => 7,
    agentSessionIds: () => ids,
    log: () => undefined,
  };
  const saves = new Saves(port);
  /** Everything that is ready to go on has gone on. */
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { saves, frames, started, settle };
}
const request = (number: number): string => testId("request", number);
const UNCHANGED: SaveResult = { ok: false, reason: "unchanged" };

describe("saves", () => {
  it("[TH5] do once more for all the turns that ended during one", async () => {
    const { saves, started, settle } = rig();
    const all = [saves.save(request(1), false)];
    await settle();
    for (let number = 2; number < 8; number += 1) all.push(saves.save(request(number), false));
    started[0]?.(UNCHANGED);
    await settle();
    expect(started).toHaveLength(2);
    started[1]?.(UNCHANGED);
    await Promise.all(all);
    expect(started).toHaveLength(2);
  });

  it("never drop one that a person asked for", async () => {
    const { saves, started, settle } = rig();
    const all = [saves.save(request(1), false), saves.save(request(2), true), saves.save(request(3), true), saves.save(request(4), false)];
    for (let count = 1; count <= 3; count += 1) {
      await settle();
      expect(started).toHaveLength(count);
      started[count - 1]?.(UNCHANGED);
    }
    await Promise.all(all);
    expect(started).toHaveLength(3);
  });

  it("[TH5] name each thread's conversation, and only the main one's where there is no other", async () => {
    for (const [ids, expected] of [
      [{ main: "m" }, { agentSessionId: "m" }],
      [
        { main: "m", docs: "d" },
        { agentSessionId: "m", agentSessionIds: { main: "m", docs: "d" } },
      ],
      [{ docs: "d" }, { agentSessionId: null, agentSessionIds: { docs: "d" } }],
    ] as const) {
      const { saves, frames, started, settle } = rig(ids);
      const saving = saves.save(request(1), false);
      await settle();
      const snapshot = {
        snapshotId: testId("snapshot", 1),
        parentId: null,
        format: 1 as const,
        parts: [{ bytes: 1, sha256: "0".repeat(64) }],
        dependencies: [],
        inherited: [],
        treeBytes: 1,
        treeFiles: 1,
        leftOut: [],
      };
      started[0]?.({ ok: true, snapshot });
      await settle();
      saves.committed({ requestId: request(1), ok: true });
      await saving;
      const commit = frames.find((frame) => frame.type === "commit");
      expect(commit).toEqual({ type: "commit", requestId: request(1), snapshot, throughRseq: 7, asked: false, ...expected });
    }
  });
});
