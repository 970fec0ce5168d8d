import { describe, expect, it } from "vitest";
import assetHeaders from "../../frontend/public/_headers?raw";
import { COMMON_HEADERS, HTML_CSP } from "./secure-headers.ts";

/** The header lines under the pattern that covers every page. */
function headersOfAllPages(): Record<string, string> {
  const lines = assetHeaders.split("\n");
  const from = lines.indexOf("/*") + 1;
  const block = lines.slice(
    from,
    lines.findIndex((line, index) => index >= from && !line.startsWith("  ")),
  );
  return Object.fromEntries(
    block.map((line) => [line.slice(0, line.indexOf(":")).trim().toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
}

describe("pages that the assets answer by themselves", () => {
  it("carry the same headers as the Worker's", () => {
    expect(headersOfAllPages()).toEqual({ ...COMMON_HEADERS, "content-security-policy": HTML_CSP });
  });
});
