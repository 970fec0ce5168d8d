import { expect, it } from "vitest";
import { hostCostUsd } from "./host-cost.ts";

it.each([
  // 4 GiB, 8 GB, half a processor at a quarter, two objects: 0.036 + 0.002016 + 0.009 + 0.01152
  ["standard-1", 0.058536],
  ["standard-2", 0.086544],
  ["standard-3", 0.123552],
  ["standard-4", 0.19656],
] as const)("prices an hour of %s", (size, usd) => expect(hostCostUsd(size, 3_600)).toBeCloseTo(usd, 6));

it("costs nothing for no time, and twice as much for twice the time", () => {
  expect(hostCostUsd("standard-4", 0)).toBe(0);
  expect(hostCostUsd("standard-1", 20)).toBeCloseTo(2 * hostCostUsd("standard-1", 10), 12);
});
