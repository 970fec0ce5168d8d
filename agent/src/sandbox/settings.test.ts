import { describe, expect, it } from "vitest";
import { testId } from "../runner/testing/ids.ts";
import { ownVariables, readSettings } from "./settings.ts";

const sessionId = testId("session", 1);
const named = {
  AIDEV_SESSION: sessionId,
  AIDEV_INCARNATION: "7",
  AIDEV_SOURCE: JSON.stringify({ kind: "git", url: "https://example.test/a.git", branch: null }),
  AIDEV_SERVER: "http://platform.internal",
  AIDEV_MODEL_URL: "http://llm.internal",
  AIDEV_LINK_TOKEN: "adpv_one",
};

describe("settings of a sandbox's runner", () => {
  it("[SN8] reads names, addresses and the runner's token, and has another one for the files process", () => {
    const read = readSettings({ ...named, PATH: "/bin" });
    expect(read).toMatchObject({
      ok: true,
      settings: {
        server: "http://platform.internal",
        modelUrl: "http://llm.internal",
        isIntercepted: false,
        order: { sessionId, incarnation: 7, source: { kind: "git", url: "https://example.test/a.git", branch: null } },
      },
    });
    if (!read.ok) throw new Error(read.detail);
    expect(read.settings.order.linkToken).toBe("adpv_one");
    // The server's tests hold the same pair.
    expect(read.settings.filesToken).toBe("adpx_ed8ef63dba49d038c09bae7cf0f593eeeae4323280390f1650f6aa8de57dd88e");
  });

  it("takes the tokens of its incarnation where nobody vouches for the container", () => {
    const read = readSettings({ ...named, AIDEV_LINK_TOKEN: "link", AIDEV_MODEL_TOKEN: "model", SANDBOX_INTERCEPT_HTTPS: "1" });
    expect(read).toMatchObject({
      ok: true,
      settings: { isIntercepted: true, filesToken: "link", order: { linkToken: "link", modelToken: "model" } },
    });
  });

  it.each([
    ["AIDEV_SESSION", "ses_secret"],
    ["AIDEV_INCARNATION", "secret"],
    ["AIDEV_SOURCE", "{secret"],
    ["AIDEV_SOURCE", '{"kind":"secret"}'],
    ["AIDEV_SERVER", "file:///secret"],
    ["AIDEV_MODEL_URL", undefined],
    ["AIDEV_LINK_TOKEN", undefined],
  ])("names %s when it is %s, and never says its value", (name, value) => {
    const read = readSettings({ ...named, [name]: value });
    expect(read).toEqual({ ok: false, detail: `Missing or malformed: ${name}.` });
  });

  it("knows which variables are the runner's alone", () => {
    expect(ownVariables({ PATH: "", AIDEV_SESSION: "", AIDEV_LINK_TOKEN: "", AIDE: "" })).toEqual(["AIDEV_SESSION", "AIDEV_LINK_TOKEN"]);
  });
});
