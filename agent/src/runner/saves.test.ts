import { describe, expect, it } from "vitest";
import type { RunnerFrame } from "@ai-dev-platform/protocol/runner";
import { Saves } from "./saves.ts";
import { testId } from "./testing/ids.ts";
import type { SaveResult } from "./workspace/save.ts";

function rig(ids: Record<string, string> = {}, commitWaitMs = 30_000) {
  const marked: string[] = [];
  const frames: RunnerFrame[] = [];
  const started: ((result: SaveResult) => void)[] = [];
  const port = {
    workspace: {
      save: () => new Promise<SaveResult>((resolve) => started.push(resolve)),
      markCommitted: async (snapshotId: string) => void marked.push(snapshotId),
      saveDependencies: async () => undefined,
    },
    send: (frame: RunnerFrame) => frames.push(frame) > 0,
    settled: async () => undefined,
    lastRseq: () => 7,
    agentSessionIds: () => ids,
    log: () => undefined,
    commitWaitMs,
  };
  const saves = new Saves(port);
  /** Everything that is ready to go on has gone on. */
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { saves, frames, started, settle, marked };
}
const request = (number: number): string => testId("request", number);
const snapshotOf = (number: number) => ({
  snapshotId: testId("snapshot", number),
  parentId: null,
  format: 1 as const,
  parts: [{ bytes: 1, sha256: "0".repeat(64) }],
  dependencies: [],
  inherited: [],
  treeBytes: 1,
  treeFiles: 1,
  leftOut: [],
});
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
      const snapshot = snapshotOf(1);
      started[0]?.({ ok: true, snapshot });
      await settle();
      saves.committed({ requestId: request(1), ok: true });
      await saving;
      const commit = frames.find((frame) => frame.type === "commit");
      expect(commit).toEqual({ type: "commit", requestId: request(1), snapshot, throughRseq: 7, asked: false, ...expected });
    }
  });

  it("[SN1] ask a commit again whose answer never came, before they read the files again", async () => {
    const { saves, frames, started, settle, marked } = rig({}, 1);
    const first = saves.save(request(1), false);
    await settle();
    started[0]?.({ ok: true, snapshot: snapshotOf(1) });
    await first;
    expect(marked).toEqual([]);
    const second = saves.save(request(2), false);
    await settle();
    expect(frames.filter((frame) => frame.type === "commit").map((frame) => frame.requestId)).toEqual([request(1), request(1)]);
    expect(started).toHaveLength(1);
    saves.committed({ requestId: request(1), ok: true });
    await settle();
    expect(marked).toEqual([testId("snapshot", 1)]);
    expect(started).toHaveLength(2);
    started[1]?.(UNCHANGED);
    await second;
  });

  it("[SN1] learn of a commit whose answer comes late, and say that nothing is saved while it is unknown", async () => {
    const { saves, frames, started, settle, marked } = rig({}, 1);
    const first = saves.save(request(1), false);
    await settle();
    started[0]?.({ ok: true, snapshot: snapshotOf(1) });
    await first;
    await saves.save(request(2), false);
    expect(frames.at(-1)).toMatchObject({ type: "save_skipped", reason: "failed", problem: { code: "unavailable" } });
    expect(started).toHaveLength(1);
    saves.resend();
    expect(frames.at(-1)).toMatchObject({ type: "commit", requestId: request(1) });
    saves.committed({ requestId: request(1), ok: true });
    await settle();
    expect(marked).toEqual([testId("snapshot", 1)]);
    const third = saves.save(request(3), false);
    await settle();
    expect(started).toHaveLength(2);
    started[1]?.(UNCHANGED);
    await third;
  });
});
