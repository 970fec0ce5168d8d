import { describe, expect, it } from "vitest";
import { judgeStart, mayKill } from "./decisions.ts";
import { familyOf, parseStat } from "./process-table.ts";

const running = [{ sessionId: "a", incarnation: 2 }];

describe("[MA1] an order to start", () => {
  const cases = [
    ["starts where there is room", { sessionId: "b", incarnation: 1 }, 2, { kind: "start" }],
    ["waits where there is none", { sessionId: "b", incarnation: 1 }, 1, { kind: "refuse", code: "machine_full" }],
    ["replaces an older runner, also on a full machine", { sessionId: "a", incarnation: 3 }, 1, { kind: "replace" }],
    ["is answered the same when it comes again", { sessionId: "a", incarnation: 2 }, 1, { kind: "running" }],
    ["is refused when a newer runner lives", { sessionId: "a", incarnation: 1 }, 2, { kind: "refuse", code: "runner_fenced" }],
  ] as const;
  for (const [title, order, capacity, expected] of cases) it(title, () => expect(judgeStart(running, order, capacity)).toEqual(expected));

  it("and a late kill never hits a newer runner", () => {
    expect([mayKill({ sessionId: "a", incarnation: 2 }, 1), mayKill({ sessionId: "a", incarnation: 2 }, 2)]).toEqual([false, true]);
  });
});

describe("a runner's family", () => {
  const row = (pid: number, parentPid: number, groupId: number) => ({ pid, parentPid, groupId });
  const self = row(10, 1, 10);

  it("is its group, its descendants and their groups, and nobody else", () => {
    const table = [
      self,
      row(20, 10, 20),
      row(21, 20, 20),
      row(30, 21, 30),
      row(31, 1, 30),
      row(40, 31, 41),
      row(50, 10, 10),
      row(60, 1, 60),
    ];
    expect([...familyOf(table, new Set([20]), self)].sort()).toEqual([20, 21, 30, 31, 40]);
  });

  it("is found by its group when its leader is gone", () => {
    expect([...familyOf([self, row(22, 1, 20)], new Set([20]), self)]).toEqual([22]);
  });

  it("never holds this process or its group", () => {
    expect(familyOf([self, row(11, 1, 10)], new Set([10]), self)).toEqual(new Set());
  });

  it("reads process lines with odd names, and passes over the dead", () => {
    expect(parseStat("77 (a) S 9 (x) S 5 70 70 0")).toEqual({ pid: 77, parentPid: 5, groupId: 70 });
    expect(parseStat("78 (dead) Z 5 70 70 0")).toBeNull();
  });
});
