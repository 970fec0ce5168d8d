import { expect, it } from "vitest";
import { leftOutGroups, secondsAgo, shortId } from "./save-facts.ts";

it("groups what was left out by reason, what one can mend first", () => {
  expect(
    leftOutGroups([
      { path: "node_modules", reason: "dependencies" },
      { path: "a.iso", reason: "too_large" },
      { path: ".venv", reason: "dependencies" },
    ]),
  ).toEqual([
    { reason: "too_large", paths: ["a.iso"] },
    { reason: "dependencies", paths: ["node_modules", ".venv"] },
  ]);
});

it("shortens an id to what tells it apart", () => {
  expect(shortId("snp_0123456789abcdefghjkmnpqrs")).toBe("01234567");
});

it("counts seconds for a minute", () => {
  expect(secondsAgo(1_000, 4_200)).toMatch(/^3 /);
  expect(secondsAgo(5_000, 1_000)).toMatch(/^0 /);
  expect(secondsAgo(0, 60_000)).toBeNull();
});
