import { expect, it } from "vitest";
import { reminderFor } from "./rotation.ts";

const DAY_MS = 86_400_000;
const key = { createdAt: 0, rotateAt: 90 * DAY_MS };

it("reminds two weeks ahead, and says when it is late", () => {
  expect(reminderFor(key, 0, 75 * DAY_MS)).toEqual({ kind: "none" });
  expect(reminderFor(key, 0, 82 * DAY_MS)).toEqual({ kind: "soon", ageDays: 82 });
  expect(reminderFor(key, 0, 91 * DAY_MS)).toEqual({ kind: "overdue", ageDays: 91 });
});

it("keeps quiet while snoozed, and where no reminder is wanted", () => {
  expect(reminderFor(key, 89 * DAY_MS, 82 * DAY_MS)).toEqual({ kind: "none" });
  expect(reminderFor({ ...key, rotateAt: null }, 0, 900 * DAY_MS)).toEqual({ kind: "none" });
});
