import { ERRORS } from "@ai-dev-platform/protocol/errors";
import { describe, expect, it } from "vitest";
import { readError } from "./client.ts";
import { newId } from "./new-id.ts";

describe("readError", () => {
  it("takes our own shape as it is", () => {
    const error = readError(409, { error: { code: "key_missing", message: "x", retryable: false, detail: "d" } });
    expect(error).toMatchObject({ code: "key_missing", status: 409, detail: "d", retryable: false, message: ERRORS.key_missing.message });
  });
  it("puts the sign-in library's codes into our words", () => {
    expect(readError(401, { code: "INVALID_EMAIL_OR_PASSWORD", message: "Invalid email or password" })).toMatchObject({
      code: "bad_credentials",
    });
  });
  it("falls back to the status for anything else", () => {
    expect(readError(404, undefined).code).toBe("not_found");
    expect(readError(502, "<html>").code).toBe("internal");
    expect(readError(418, { error: null }).code).toBe("bad_request");
  });
});

it("makes ids in the protocol's format", () => {
  const ids = new Set(Array.from({ length: 200 }, () => newId("prompt")));
  expect(ids.size).toBe(200);
  for (const id of ids) expect(id).toMatch(/^prm_[0-9a-hjkmnp-tv-z]{26}$/);
});
