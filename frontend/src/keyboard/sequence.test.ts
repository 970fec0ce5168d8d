import { describe, expect, it } from "vitest";
import { afterPress, isSecondOfSequence, noPresses, sequencesOf, type Press } from "./sequence.ts";

const sequences = sequencesOf(["c", "g s", "g c", "$mod+k", "Escape Escape"]);
const typed = (...presses: Press[]) => isSecondOfSequence(presses.reduce(afterPress, noPresses), sequences);

describe("isSecondOfSequence", () => {
  it("keeps C after G from being C alone, for a moment", () => {
    expect(typed({ key: "g", at: 0 }, { key: "c", at: 400 })).toBe(true);
    expect(typed({ key: "g", at: 0 }, { key: "c", at: 1_400 })).toBe(false);
    expect(typed({ key: "c", at: 400 })).toBe(false);
    expect(typed({ key: "g", at: 0 }, { key: "x", at: 100 }, { key: "c", at: 200 })).toBe(false);
  });

  it("leaves a key alone that follows the first key of a sequence but ends none", () => {
    expect(typed({ key: "Escape", at: 0 }, { key: "c", at: 100 })).toBe(false);
    expect(typed({ key: "g", at: 0 }, { key: "j", at: 100 })).toBe(false);
  });

  it("looks through modifier keys", () => {
    expect(typed({ key: "g", at: 0 }, { key: "Shift", at: 100 }, { key: "c", at: 200 })).toBe(true);
  });
});
