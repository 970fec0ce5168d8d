import { expect, it } from "vitest";
import { isLoopbackAddress, whichOf } from "./use-connect.ts";

it("knows which computer the address names", () => {
  expect(whichOf("login=abc&code=x")).toEqual({ login: "abc" });
  expect(whichOf("code=BCDF-GHJK")).toEqual({ code: "BCDF-GHJK" });
  for (const none of ["", "code=", "code=%20", "other=1"]) expect(whichOf(none)).toBeNull();
});

it("[MA4] goes back to this computer only", () => {
  expect(isLoopbackAddress("http://127.0.0.1:4567/?code=a&state=b")).toBe(true);
  for (const away of [
    "https://127.0.0.1/",
    "http://127.0.0.1.evil.test/",
    "http://evil.test/?127.0.0.1",
    "http://127.0.0.1@evil.test/",
    "http://a@127.0.0.1/",
    "javascript:alert(1)",
    "/",
    "",
  ])
    expect(isLoopbackAddress(away)).toBe(false);
});
