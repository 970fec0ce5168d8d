import { ERRORS, errorBody } from "@ai-dev-platform/protocol/errors";
import { describe, expect, it } from "vitest";
import { readError } from "./client.ts";
import { LOCAL_ERRORS } from "./local-errors.ts";
import { newId } from "./new-id.ts";

describe("readError", () => {
  it("takes our own shape as it is", () => {
    const error = readError(409, errorBody("key_missing", "d"));
    expect(error).toMatchObject({ code: "key_missing", status: 409, detail: "d", retryable: false, message: ERRORS.key_missing.message });
  });
  it("takes a code of a newer server with its words", () => {
    const body = { error: { code: "not_yet_known", message: "Do that.", retryable: true } };
    expect(readError(409, body)).toMatchObject({ code: "not_yet_known", message: "Do that.", retryable: true });
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

it("keeps this browser's own words equal to the table's", () => {
  for (const [code, told] of Object.entries(LOCAL_ERRORS))
    expect(Object.entries(ERRORS).find(([known]) => known === code)?.[1]).toMatchObject(told);
});

it("makes ids in the protocol's format", () => {
  const ids = new Set(Array.from({ length: 200 }, () => newId("prompt")));
  expect(ids.size).toBe(200);
  for (const id of ids) expect(id).toMatch(/^prm_[0-9a-hjkmnp-tv-z]{26}$/);
});
