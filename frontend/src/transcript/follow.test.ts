import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FOLLOWING, stepFollow, type Follow, type FollowInput } from "./follow.ts";

const after = (...inputs: FollowInput[]): Follow["mode"] => inputs.reduce(stepFollow, FOLLOWING).mode;

describe("follow mode", () => {
  it.each<FollowInput>([
    { type: "wheel", deltaY: -1 },
    { type: "touch_moved" },
    { type: "key", key: "PageUp" },
    { type: "key", key: "Home" },
    { type: "key", key: "ArrowUp" },
    { type: "selected" },
    { type: "linked" },
    { type: "dragged_bar" },
  ])("is left by intent: %j", (input) => {
    expect(after(input)).toBe("reading");
  });

  it.each<FollowInput>([
    { type: "wheel", deltaY: 5 },
    { type: "key", key: "a" },
    { type: "scrolled", gapPx: 900, movedDown: false },
  ])("is kept by what is no intent: %j", (input) => {
    expect(after(input)).toBe("following");
  });

  it("is never entered by being near the end, only by reaching it", () => {
    const left: FollowInput = { type: "wheel", deltaY: -1 };
    expect(after(left, { type: "scrolled", gapPx: 40, movedDown: true })).toBe("reading");
    expect(after(left, { type: "scrolled", gapPx: 0, movedDown: false })).toBe("reading");
    expect(after(left, { type: "scrolled", gapPx: 3, movedDown: true })).toBe("following");
  });

  it("is entered by asking for the latest and by sending", () => {
    expect(after({ type: "touch_moved" }, { type: "asked_latest" })).toBe("following");
    expect(after({ type: "jumped_to", rowId: "a" }, { type: "sent" })).toBe("following");
  });

  it("stays anchored while the reader moves on", () => {
    expect(after({ type: "jumped_to", rowId: "a" }, { type: "wheel", deltaY: -3 })).toBe("anchored");
  });

  it("never follows after leaving without reaching the end, asking or sending", () => {
    const quiet = fc.oneof(
      fc.integer({ min: -9, max: 9 }).map((deltaY): FollowInput => ({ type: "wheel", deltaY })),
      fc.integer({ min: 5, max: 999 }).map((gapPx): FollowInput => ({ type: "scrolled", gapPx, movedDown: true })),
      fc.constantFrom<FollowInput>({ type: "selected" }, { type: "linked" }, { type: "jumped_to", rowId: "x" }),
    );
    fc.assert(
      fc.property(fc.array(quiet), (inputs) => {
        expect(after({ type: "touch_moved" }, ...inputs)).not.toBe("following");
      }),
    );
  });
});
