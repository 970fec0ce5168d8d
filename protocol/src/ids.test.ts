import { expect, it } from "vitest";
import { formatId, promptIdSchema, sessionIdSchema } from "./ids.ts";

it("formats ids that only their own schema accepts", () => {
  const id = formatId("session", new Uint8Array(26).fill(31));
  expect(id).toBe(`ses_${"z".repeat(26)}`);
  expect(sessionIdSchema.safeParse(id).success).toBe(true);
  expect(promptIdSchema.safeParse(id).success).toBe(false);
});

it("refuses too little randomness", () => {
  expect(() => formatId("session", new Uint8Array(25))).toThrow(RangeError);
});
