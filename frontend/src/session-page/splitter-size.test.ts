import { describe, expect, it } from "vitest";
import { splitterRange, widthAfterKey, workbenchWidth } from "./splitter-size.ts";

describe("workbenchWidth", () => {
  it("keeps both sides usable", () => {
    expect(workbenchWidth(500, 1_200)).toBe(500);
    expect(workbenchWidth(100, 1_200)).toBe(380);
    expect(workbenchWidth(2_000, 1_200)).toBe(780);
  });

  it("shares a space that is too small for both", () => {
    const width = workbenchWidth(500, 600);
    expect(width).toBeGreaterThan(250);
    expect(width).toBeLessThan(350);
  });

  it("moves by keys and names its range", () => {
    expect(widthAfterKey("ArrowLeft", 500, 1_200)).toBe(516);
    expect(widthAfterKey("ArrowRight", 500, 1_200)).toBe(484);
    expect(widthAfterKey("Home", 500, 1_200)).toBe(780);
    expect(widthAfterKey("End", 500, 1_200)).toBe(380);
    expect(widthAfterKey("x", 500, 1_200)).toBeNull();
    expect(splitterRange(500, 1_200)).toEqual({ min: 380, max: 780, now: 500 });
  });
});
