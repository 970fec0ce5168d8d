import { describe, expect, it } from "vitest";
import { SANDBOX_SIZES } from "./modes.ts";
import { sandboxCostUsd, sandboxHourUsd } from "./sandbox-price.ts";

describe("sandboxHourUsd", () => {
  it("is the list price of each size, at rest and busy", () => {
    const rounded = SANDBOX_SIZES.map((size) => {
      const { idle, busy } = sandboxHourUsd(size);
      return [size, Number(idle.toFixed(3)), Number(busy.toFixed(3))];
    });
    expect(rounded).toEqual([
      ["standard-1", 0.038, 0.074],
      ["standard-2", 0.057, 0.129],
      ["standard-3", 0.076, 0.22],
      ["standard-4", 0.113, 0.401],
    ]);
  });
  it("grows with time and use alone", () => {
    expect(sandboxCostUsd("standard-1", 0, 1)).toBe(0);
    expect(sandboxCostUsd("standard-1", 60, 0.5)).toBeGreaterThan(sandboxCostUsd("standard-1", 60, 0.1));
  });
});
