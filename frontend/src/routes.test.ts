import { describe, expect, it } from "vitest";
import { nextPath, paths, shareLink } from "./routes.ts";

describe("nextPath", () => {
  it("leads back to a page of this site", () => {
    expect(nextPath("next=%2Fs%2Fses_1%3Fpanel%3Dchanges")).toBe("/s/ses_1?panel=changes");
    expect(nextPath("")).toBe("/");
  });
  it("never leads away", () => {
    for (const away of ["https://evil.test", "//evil.test", "/\\evil.test", "javascript:alert(1)", "evil"])
      expect(nextPath(`next=${encodeURIComponent(away)}`)).toBe("/");
  });
});

it("keeps the way back in the sign-in address", () => {
  expect(paths.signIn()).toBe("/signin");
  expect(paths.signIn("/settings/api-key")).toBe("/signin?next=%2Fsettings%2Fapi-key");
});

it("puts a link's secret behind the #", () =>
  expect(shareLink("https://app.test", "shr_1", "s-_e")).toBe("https://app.test/share/shr_1#s-_e"));
