import { describe, expect, it } from "vitest";
import { startSteps } from "./start-steps.ts";

describe("startSteps", () => {
  it("begins with the first step while nothing was reported", () => {
    expect(startSteps(null, new Set()).map((line) => line.mark)).toEqual(["now", "next", "next"]);
  });

  it("expects a fetch on the first start, a restore on waking", () => {
    expect(startSteps(null, new Set()).map((line) => line.step)).toEqual(["starting", "cloning", "agent"]);
    expect(startSteps(null, new Set(), true).map((line) => line.step)).toEqual(["starting", "restoring", "agent"]);
    expect(startSteps({ step: "restoring", detail: "" }, new Set(["restoring"])).map((line) => line.step)).toContain("restoring");
  });
  it("marks what is behind as done and leaves out what never happened", () => {
    const lines = startSteps({ step: "agent", detail: "claude 2.1" }, new Set(["starting", "restoring", "agent"]));
    expect(lines).toEqual([
      { step: "starting", mark: "done", detail: "" },
      { step: "restoring", mark: "done", detail: "" },
      { step: "agent", mark: "now", detail: "claude 2.1" },
    ]);
  });

  it("shows dependencies beside the agent's start, which they do not hold up", () => {
    const lines = startSteps({ step: "dependencies", detail: "40 of 98 MB" }, new Set(["restoring", "agent", "dependencies"]), true);
    expect(lines.map(({ step, mark, detail }) => `${step} ${mark} ${detail}`.trim())).toEqual([
      "starting done",
      "restoring done",
      "agent now",
      "dependencies now 40 of 98 MB",
    ]);
  });

  it("does not take a save for a step of the start", () => {
    expect(startSteps({ step: "saving", detail: "" }, new Set(["saving"]))[0]).toMatchObject({ step: "starting", mark: "now" });
  });
});
