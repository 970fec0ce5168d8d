import {
  APIError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from "openai";
import { describe, expect, it } from "vitest";
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import { AppError } from "../errors.ts";
import { apiErrorBody, isApiPath, toApiError, type ApiErrorBody } from "./errors.ts";

const codes = Object.keys(ERRORS) as ErrorCode[];
const told = async (error: AppError) => {
  const response = toApiError(error, "req_1");
  const body = await response.json<ApiErrorBody>();
  return { response, body, client: APIError.generate(response.status, body, undefined, response.headers) };
};

describe("a refusal under /v1", () => {
  it("[AT7] has the one shape for every code of the table, and OpenAI's client reads it", async () => {
    for (const code of codes) {
      const { response, body, client } = await told(new AppError(code));
      expect(Object.keys(body.error)).toEqual(["message", "type", "param", "code", "retryable", "requestId"]);
      expect(response.status).toBe(ERRORS[code].status);
      expect(response.headers.get("x-should-retry")).toBe(String(ERRORS[code].retryable));
      expect(client).toMatchObject({ status: response.status, code: body.error.code, type: body.error.type, requestID: "req_1" });
      expect(client.message).toContain(ERRORS[code].message);
    }
  });

  it.each([
    ["bad_request", BadRequestError, "invalid_request_error", "bad_request"],
    ["api_token_refused", AuthenticationError, "invalid_request_error", "invalid_api_key"],
    ["scope_missing", PermissionDeniedError, "permission_error", "scope_missing"],
    ["model_unknown", NotFoundError, "invalid_request_error", "model_not_found"],
    ["idempotency_conflict", ConflictError, "invalid_request_error", "idempotency_conflict"],
    ["rate_limited", RateLimitError, "rate_limit_error", "rate_limit_exceeded"],
    ["token_budget_reached", APIError, "insufficient_quota", "insufficient_quota"],
    ["upstream_unreachable", InternalServerError, "server_error", "upstream_unreachable"],
    ["feature_off", InternalServerError, "server_error", "feature_off"],
  ] as const)("[AT7] %s is OpenAI's %o", async (code, kind, type, openaiCode) => {
    const { client, body } = await told(new AppError(code));
    expect(client).toBeInstanceOf(kind);
    expect(body.error).toMatchObject({ type, code: openaiCode });
  });

  it("[AT7] names the field, the detail, and OpenAI's own code where somebody knew it", () => {
    expect(apiErrorBody(new AppError("bad_request", { detail: "messages.0.role: Invalid option" }), "r").error).toMatchObject({
      param: "messages.0.role",
      detail: "messages.0.role: Invalid option",
      message: `${ERRORS.bad_request.message} (messages.0.role: Invalid option)`,
    });
    expect(apiErrorBody(new AppError("bad_request", { detail: "The body is not valid JSON." }), "r").error.param).toBeNull();
    const exact = new AppError("too_large", { param: "messages", openaiCode: "context_length_exceeded" });
    expect(apiErrorBody(exact, "r").error).toMatchObject({ param: "messages", code: "context_length_exceeded" });
  });

  it("[AT2] gives back no credential that was pasted into a field", () => {
    const error = new AppError("model_unknown", { detail: `model adp_live_${"x".repeat(38)}` });
    expect(JSON.stringify(apiErrorBody(error, "r"))).not.toContain("xxx");
    expect(apiErrorBody(error, "r").error.detail).toBe("model [redacted token]");
  });

  it("[AT7] says how long to wait, in whole seconds and in milliseconds", () => {
    const { headers } = toApiError(new AppError("rate_limited", { retryAfterMs: 1_200 }), "r");
    expect([headers.get("retry-after"), headers.get("retry-after-ms")]).toEqual(["2", "1200"]);
  });

  it("is of /v1 and of nothing that only begins like it", () => {
    expect(["/v1", "/v1/", "/v1/x"].map(isApiPath)).toEqual([true, true, true]);
    expect(["/v10", "/api/v1", "/v1x/y"].map(isApiPath)).toEqual([false, false, false]);
  });
});
