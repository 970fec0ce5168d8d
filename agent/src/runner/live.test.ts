import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LIVE_FRAME_INTERVAL_MS } from "@ai-dev-platform/protocol/limits";
import type { RunnerFrame } from "@ai-dev-platform/protocol/runner";
import { createLiveOutput } from "./live.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function rig() {
  const sent: string[] = [];
  const state = { isCongested: false };
  const live = createLiveOutput({
    send: (frame: RunnerFrame) => {
      if (frame.type === "live")
        sent.push(`${frame.thread === "main" ? "" : `${frame.thread} `}${frame.block}@${frame.offset} ${frame.text}`);
      return true;
    },
    isCongested: () => state.isCongested,
    now: () => Date.now(),
  });
  const push = (block: string, offset: number, text: string, thread = "main"): void =>
    live.push({ thread, block, kind: "text", offset, text });
  return { live, sent, push, state };
}

describe("live output", () => {
  it("[LV1] sends the first piece at once and joins those that follow", () => {
    const { sent, push } = rig();
    push("b", 0, "He");
    expect(sent).toEqual(["b@0 He"]);
    push("b", 2, "ll");
    push("b", 4, "o");
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(LIVE_FRAME_INTERVAL_MS);
    expect(sent).toEqual(["b@0 He", "b@2 llo"]);
  });

  it("[LV1] says nothing more of a block that became an event", () => {
    const { live, sent, push } = rig();
    push("b", 0, "x");
    push("b", 1, "y");
    live.finish("main", "b");
    vi.advanceTimersByTime(1_000);
    expect(sent).toEqual(["b@0 x"]);
  });

  it("[LV1] keeps the text of two threads apart", () => {
    const { live, sent, push } = rig();
    push("b", 0, "x");
    push("b", 1, "y");
    push("b", 0, "z", "docs");
    live.finish("main", "b");
    vi.advanceTimersByTime(LIVE_FRAME_INTERVAL_MS);
    expect(sent).toEqual(["b@0 x", "docs b@0 z"]);
  });

  it("waits while the socket is full, and loses nothing", () => {
    const { sent, push, state } = rig();
    state.isCongested = true;
    push("b", 0, "a");
    push("b", 1, "b");
    vi.advanceTimersByTime(500);
    expect(sent).toEqual([]);
    state.isCongested = false;
    vi.advanceTimersByTime(LIVE_FRAME_INTERVAL_MS);
    expect(sent).toEqual(["b@0 ab"]);
  });

  it("[LV2] gives open text again whole after a loss", () => {
    const { live, sent, push } = rig();
    push("b", 0, "a");
    push("b", 1, "b");
    live.resync([
      { thread: "main", block: "b", kind: "text", offset: 0, text: "ab" },
      { thread: "main", block: "c", kind: "text", offset: 0, text: "" },
    ]);
    expect(sent).toEqual(["b@0 a", "b@0 ab"]);
  });
});
