import { expect, it } from "vitest";
import { countTests } from "./steps.ts";

it("adds up the closing lines of several runs, in colour or not", () => {
  const plain = " Test Files  1 passed (1)\n      Tests  2 failed | 41 passed | 3 skipped (46)\n";
  const coloured = "\u001b[2m      Tests \u001b[22m \u001b[1m\u001b[32m7 passed\u001b[39m\u001b[22m\u001b[90m (7)\u001b[39m";
  expect(countTests(plain + coloured)).toEqual({ passed: 48, failed: 2, skipped: 3 });
});

it("counts nothing where nothing ran", () => {
  expect(countTests("No test files found")).toEqual({ passed: 0, failed: 0, skipped: 0 });
});
