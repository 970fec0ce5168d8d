import { expect, it } from "vitest";
import { Holds } from "./holds.ts";

const MINUTE_MS = 60_000;

it("[AT5] holds what runs for each token, and nothing when nothing runs", () => {
  const holds = new Holds();
  for (const [index, estimateUsd] of [0.1, 0.2, 0.3].entries()) holds.add(`a${index}`, { tokenId: "a", estimateUsd, at: 0 });
  holds.add("b0", { tokenId: "b", estimateUsd: 5, at: 0 });
  expect([holds.heldUsd("a", 0), holds.heldUsd("b", 0), holds.heldUsd("c", 0)]).toEqual([expect.closeTo(0.6), 5, 0]);
  for (const callId of ["a0", "a0", "a1", "unknown", "a2"]) holds.remove(callId);
  expect(holds.heldUsd("a", 0)).toBe(0);
  expect(holds.heldUsd("b", 0)).toBe(5);
});

it("[AT5] forgets a call that nobody settled, and what is settled late changes nothing", () => {
  const holds = new Holds();
  holds.add("old", { tokenId: "a", estimateUsd: 1, at: 0 });
  holds.add("young", { tokenId: "a", estimateUsd: 2, at: 20 * MINUTE_MS });
  expect(holds.heldUsd("a", 29 * MINUTE_MS)).toBe(3);
  expect(holds.heldUsd("a", 30 * MINUTE_MS)).toBe(2);
  holds.remove("old");
  expect(holds.heldUsd("a", 30 * MINUTE_MS)).toBe(2);
});
