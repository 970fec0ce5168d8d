import { expect, it } from "vitest";
import { formatAge, formatBytes, formatDuration, formatUsd } from "./format.ts";

it("says how long something took", () => {
  expect([0, 240, 9_940, 12_000, 252_000, 11_100_000, 187_200_000].map(formatDuration)).toEqual([
    "0.0s",
    "0.2s",
    "9.9s",
    "12s",
    "4m 12s",
    "3h 5m",
    "2d 4h",
  ]);
});

it("says how old something is", () => {
  const now = 1_000_000_000_000;
  expect([0, 59_000, 120_000, 7_200_000, 172_800_000].map((age) => formatAge(now - age, now))).toEqual(["now", "now", "2m", "2h", "2d"]);
  expect(formatAge(now + 5_000, now)).toBe("now");
});

it("keeps a tiny amount from reading as free", () => {
  expect(formatUsd(1.84)).toBe("$1.84");
  expect(formatUsd(0.0042)).toBe("$0.0042");
  expect(formatUsd(0)).toBe("$0.00");
});

it("counts bytes in thousands", () => expect([0, 999, 1_500, 2_000_000].map(formatBytes)).toEqual(["0 B", "999 B", "1.5 KB", "2 MB"]));
