import { describe, expect, it } from "vitest";
import { createLogger, errorFields, redact } from "../log.ts";
import { trustedOrigins } from "./origin.ts";
import { clientAddress, decideRate } from "./rate-limit.ts";

describe("the sliding window", () => {
  const rule = { limit: 3, windowMs: 1_000 };
  it("lets the limit pass and names the time to wait", () => {
    expect(decideRate([], 5_000, rule)).toEqual({ isAllowed: true, retryAfterMs: 0 });
    expect(decideRate([4_100, 4_500], 5_000, rule).isAllowed).toBe(true);
    expect(decideRate([4_100, 4_500, 4_900], 5_000, rule)).toEqual({ isAllowed: false, retryAfterMs: 100 });
  });

  it("forgets what is older than the window", () => {
    expect(decideRate([3_000, 4_000, 4_500], 5_000, rule).isAllowed).toBe(true);
  });
});

describe("the caller's address", () => {
  const from = (address: string | null) =>
    clientAddress(new Request("http://a.test", { headers: address === null ? {} : { "cf-connecting-ip": address } }));
  it("is the whole of IPv4 and the /64 of IPv6, however it is written", () => {
    expect(from("203.0.113.9")).toBe("203.0.113.9");
    expect(from("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2");
    expect(from("2001:db8::1")).toBe("2001:db8:0:0");
    expect(from("::1")).toBe("0:0:0:0");
    expect(from(null)).toBeNull();
  });
});

describe("trusted origins", () => {
  it("are the request's own without a public origin", () => {
    expect(trustedOrigins(new URL("https://a.test/x"), null)).toEqual(["https://a.test"]);
  });

  it("are the public origin, and a loopback address for itself", () => {
    expect(trustedOrigins(new URL("https://evil.test/x"), "https://a.test")).toEqual(["https://a.test"]);
    expect(trustedOrigins(new URL("http://127.0.0.1:8787/x"), "http://localhost:8787")).toEqual([
      "http://localhost:8787",
      "http://127.0.0.1:8787",
    ]);
  });
});

describe("the log", () => {
  it.each([
    "key sk-ant-api03-abcdef_GHI-123",
    "token adpm_ses_0123_SECRETsecret",
    "token adp_live_SECRETsecret0123",
    "Authorization: Bearer abc.def-ghi",
    'headers {"authorization":"abc123secret"}',
    "cookie: adp_session=abc123",
    'password="hunter2secret"',
  ])("hides the credential in: %s", (text) => {
    expect(redact(text)).not.toMatch(/abcdef|SECRET|def-ghi|abc123|hunter2/);
  });

  it("hides the values of a failed query", () => {
    const error = new Error("Failed query: insert into t values (?)\nparams: sign-in-token\nsecond line,hash", {
      cause: new Error("D1_ERROR: no such table"),
    });
    const fields = errorFields(error);
    expect(JSON.stringify(fields)).not.toMatch(/sign-in-token|second line|hash/);
    expect(fields["error"]).toContain("insert into t");
    expect(fields["stack"]).toMatch(/\n {4}at /);
    expect(fields["cause"]).toBe("D1_ERROR: no such table");
  });

  it("writes one JSON line that keeps ordinary fields", () => {
    const lines: string[] = [];
    const original = console.info;
    console.info = (line: string) => lines.push(line);
    try {
      createLogger("test").info("happened", { sessionId: "ses_1", count: 2, key: "sk-ant-api03-zzzzzzzz" });
    } finally {
      console.info = original;
    }
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: "info", scope: "test", event: "happened", sessionId: "ses_1", count: 2, key: "[redacted key]" },
    ]);
  });
});
