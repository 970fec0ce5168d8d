import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ACCOUNT, accountEnvironment, LAUNCHER } from "./account.ts";

describe("the agent's account", () => {
  it("passes the network's authority on, and nothing else of the runner's environment", () => {
    const environment = accountEnvironment({
      HOME: "/root",
      USER: "root",
      AIDEV_LINK_TOKEN: "secret",
      SSL_CERT_FILE: "/etc/ssl/certs/ca-certificates.crt",
      CLOUDFLARE_DURABLE_OBJECT_ID: "x",
    });
    expect(environment).toMatchObject({ HOME: "/home/agent", USER: "agent", SSL_CERT_FILE: "/etc/ssl/certs/ca-certificates.crt" });
    expect(Object.keys(environment).toSorted()).toEqual(
      ["HOME", "LOGNAME", "NPM_CONFIG_PREFIX", "PATH", "SHELL", "SSL_CERT_FILE", "USER"].toSorted(),
    );
  });

  it("has the numbers that the image gives it", () => {
    const dockerfile = readFileSync(path.join(import.meta.dirname, "../../Dockerfile"), "utf8");
    expect(dockerfile).toContain(`useradd --uid ${ACCOUNT.uid} --gid ${ACCOUNT.gid} --create-home --home-dir ${ACCOUNT.home}`);
    expect(LAUNCHER).toContain(`--reuid=${ACCOUNT.uid}`);
    expect(LAUNCHER.at(-1)).toBe("--");
  });
});
