import { expect, it } from "vitest";
import { withBrowserKey } from "./use-browser-key.ts";

const key = { publicKey: "p".repeat(43), name: "Chrome on Linux" };

it("[SG3] hands this browser's key to the computer, and never one that the server put into the address", () => {
  const url = new URL(withBrowserKey("http://127.0.0.1:4567/?code=c&state=s&key=evil&key=evil2&key_name=Evil", key));
  expect(url.searchParams.getAll("key")).toEqual([key.publicKey]);
  expect(url.searchParams.getAll("key_name")).toEqual(["Chrome on Linux"]);
  expect(url.searchParams.get("code")).toBe("c");
  expect(withBrowserKey("http://127.0.0.1:4567/?code=c&state=s&key=evil", null)).toBe("http://127.0.0.1:4567/?code=c&state=s");
  expect(withBrowserKey("http://127.0.0.1:4567/?error=access_denied&state=s", key)).toBe(
    "http://127.0.0.1:4567/?error=access_denied&state=s",
  );
});
