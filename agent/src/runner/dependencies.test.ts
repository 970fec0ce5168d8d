import { describe, expect, it } from "vitest";
import type { RunnerEvent } from "@ai-dev-platform/protocol/events";
import type { RunnerFrame } from "@ai-dev-platform/protocol/runner";
import { Dependencies } from "./dependencies.ts";
import type { DependenciesRestored } from "./workspace/dependencies/layers.ts";

function rig(holdMs = 30_000) {
  const frames: RunnerFrame[] = [];
  const events: RunnerEvent[] = [];
  let end: (result: DependenciesRestored) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const restoring = new Promise<DependenciesRestored>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  const dependencies = new Dependencies({
    workspace: { restoreDependencies: () => restoring },
    send: (frame) => frames.push(frame) > 0,
    emit: (event) => void events.push(event),
    log: () => undefined,
    holdMs,
  });
  return { dependencies, frames, events, end, fail };
}

describe("[SN9] a command", () => {
  it("waits for dependencies that are on their way, then runs without a word", async () => {
    const { dependencies, frames, end } = rig();
    dependencies.restore();
    let hasRun = false;
    const command = dependencies.beforeCommand().then((news) => {
      hasRun = true;
      return news;
    });
    await new Promise(setImmediate);
    expect(hasRun).toBe(false);
    end({ restored: 1, missing: [] });
    expect(await command).toBeNull();
    expect(frames).toEqual([{ type: "progress", step: "agent", detail: "" }]);
    expect(await dependencies.beforeCommand()).toBeNull();
  });

  it("does not wait for ever, and is told why a package may be missing", async () => {
    const { dependencies } = rig(1);
    dependencies.restore();
    expect(await dependencies.beforeCommand()).toContain("still being restored");
  });

  it("is told once what has to be installed again, as are the people", async () => {
    const { dependencies, events, end } = rig();
    dependencies.restore();
    end({ restored: 0, missing: [{ path: "node_modules", detail: "a block is damaged" }] });
    expect(await dependencies.beforeCommand()).toContain("node_modules could not be restored");
    expect(await dependencies.beforeCommand()).toBeNull();
    expect(events).toEqual([
      { type: "notice", level: "warning", text: "Dependencies have to be installed again (node_modules): a block is damaged." },
    ]);
  });

  it("runs when the files process broke, or nothing was to come back", async () => {
    const broken = rig();
    broken.dependencies.restore();
    broken.fail(new Error("gone"));
    expect(await broken.dependencies.beforeCommand()).toBeNull();
    expect(await rig().dependencies.beforeCommand()).toBeNull();
  });
});
