import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ACCOUNT, accountEnvironment, LAUNCHER } from "./account.ts";

describe("the agent's account", () => {
  it("has an environment of its own, and finds an intercepted network's authority", () => {
    const names = ["HOME", "LOGNAME", "NPM_CONFIG_PREFIX", "PATH", "SHELL", "USER"];
    expect(Object.keys(accountEnvironment(null)).toSorted()).toEqual(names);
    expect(accountEnvironment({ authority: "/ca.crt", bundle: "/all.crt" })).toMatchObject({
      HOME: "/home/agent",
      NODE_EXTRA_CA_CERTS: "/ca.crt",
      GIT_SSL_CAINFO: "/all.crt",
    });
  });

  it("has the numbers that the image gives it", () => {
    const dockerfile = readFileSync(path.join(import.meta.dirname, "../../Dockerfile"), "utf8");
    expect(dockerfile).toContain(`useradd --uid ${ACCOUNT.uid} --gid ${ACCOUNT.gid} --create-home --home-dir ${ACCOUNT.home}`);
    expect(LAUNCHER).toContain(`--reuid=${ACCOUNT.uid}`);
    expect(LAUNCHER.at(-1)).toBe("--");
  });
});
