import { expect, it } from "vitest";
import { arrivedSince, presentIds } from "./arrivals.ts";
import { machine } from "./machine-fixture.ts";

it("tells the machine that one waits for from those that were there", () => {
  const laptop = machine("laptop");
  const desk = machine("desk", { state: "offline" });
  const rack = machine("rack", { isOperator: true });
  const before = presentIds([laptop, desk]);
  expect(arrivedSince(before, [laptop, desk, rack])).toBeNull();
  expect(arrivedSince(before, [laptop, { ...desk, state: "connected" }])?.name).toBe("desk");
  expect(arrivedSince(before, [laptop, machine("new", { state: "reconnecting" })])).toBeNull();
  expect(arrivedSince(before, [laptop, machine("new", { state: "busy" })])?.name).toBe("new");
});
