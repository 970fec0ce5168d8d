import type { SessionState } from "@ai-dev-platform/protocol/state";
import { describe, expect, it } from "vitest";
import { openTurn, stateWith } from "../session/state-fixture.ts";
import { announcementsBetween, isAssertive } from "./announcements.ts";

const make = (patch: Partial<SessionState> = {}): SessionState => stateWith(patch);
const turn = openTurn();
const ended = (outcome: "completed" | "stopped" | "interrupted"): SessionState["lastTurn"] => ({
  turnId: "trn_1",
  outcome,
  endedAt: 2,
  problem: null,
});

describe("announcementsBetween", () => {
  it("says that work begins and how it ended", () => {
    expect(announcementsBetween(make(), make({ turn }))).toEqual([{ kind: "working" }]);
    expect(announcementsBetween(make({ turn }), make({ turn }))).toEqual([]);
    expect(announcementsBetween(make({ turn }), make({ lastTurn: ended("completed") }))).toEqual([{ kind: "replied" }]);
    expect(announcementsBetween(make({ turn }), make({ lastTurn: ended("stopped") }))).toEqual([{ kind: "stopped" }]);
    expect(announcementsBetween(make({ turn }), make({ lastTurn: ended("interrupted") }))).toEqual([{ kind: "failed" }]);
  });

  it("counts the files that a turn edited", () => {
    const file = { path: "a.ts", status: "modified" as const, additions: 1, deletions: 0 };
    const before = make({ turn, changes: { base: "main", files: [file] } });
    const after = make({
      lastTurn: ended("completed"),
      changes: {
        base: "main",
        files: [
          { ...file, additions: 4 },
          { ...file, path: "b.ts" },
        ],
      },
    });
    expect(announcementsBetween(before, after)).toEqual([{ kind: "edited", files: 2 }]);
  });

  it("says once that a program had something run", () => {
    const author = { userId: "usr_mara", name: "Mara (CI)" };
    const executions = [{ executionId: "exe_1", what: "npm test", language: null, author, startedAt: 1 }];
    expect(announcementsBetween(make(), make({ executions }))).toEqual([{ kind: "ran", who: "Mara (CI)" }]);
    expect(announcementsBetween(make({ executions }), make({ executions }))).toEqual([]);
    expect(announcementsBetween(make({ executions }), make())).toEqual([]);
  });

  it("names a new request at once, and once", () => {
    const approvals: SessionState["approvals"] = [
      {
        request: { kind: "permission", approvalId: "a", tool: "Bash", toolId: "t", subject: "git push", reason: "", input: {} },
        at: 1,
        seq: 4,
        thread: "main",
        turnId: "trn_1",
      },
    ];
    const said = announcementsBetween(make({ turn }), make({ turn, approvals }));
    expect(said).toEqual([{ kind: "needs", need: "permission", subject: "git push" }]);
    expect(said.every(isAssertive)).toBe(true);
    expect(announcementsBetween(make({ turn, approvals }), make({ turn, approvals }))).toEqual([]);
  });
});
