import { expect, it } from "vitest";
import { placeTooltip } from "./tooltip-place.ts";

const bubble = { width: 100, height: 24 };
const screen = { width: 400, height: 300 };

it("stands centred under the control", () => {
  expect(placeTooltip({ left: 180, top: 10, width: 40, height: 32 }, bubble, screen)).toEqual({ left: 150, top: 48 });
});

it("stays on the screen, and goes above where there is no room below", () => {
  expect(placeTooltip({ left: 380, top: 270, width: 16, height: 24 }, bubble, screen)).toEqual({ left: 292, top: 240 });
  expect(placeTooltip({ left: 0, top: 0, width: 16, height: 16 }, bubble, screen)).toEqual({ left: 8, top: 22 });
});
