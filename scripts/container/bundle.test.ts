import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { imageManifests } from "./bundle.ts";

const PROGRAM = "@anthropic-ai/claude-agent-sdk-linux-x64";

describe("the image's own lock file", () => {
  it("holds the agent's program to the version and the hash of the repository's", () => {
    const lock = { packages: { [`node_modules/${PROGRAM}`]: { version: "1.2.3", integrity: "sha512-abc" } } };
    const manifests = imageManifests(JSON.stringify(lock));
    expect(manifests.manifest).toMatchObject({ dependencies: { [PROGRAM]: "1.2.3" } });
    expect(manifests.lock).toMatchObject({ packages: { [`node_modules/${PROGRAM}`]: { version: "1.2.3", integrity: "sha512-abc" } } });
  });

  it("is not made without a hash", () => {
    const lock = { packages: { [`node_modules/${PROGRAM}`]: { version: "1.2.3" } } };
    expect(() => imageManifests(JSON.stringify(lock))).toThrow("package-lock.json");
  });
});

describe("the image's base", () => {
  it("has the version of the SDK that talks to it", () => {
    const root = path.join(import.meta.dirname, "../..");
    const { dependencies } = z
      .object({ dependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")));
    const dockerfile = readFileSync(path.join(root, "agent/Dockerfile"), "utf8");
    expect(dockerfile).toContain(`ARG BASE=docker.io/cloudflare/sandbox:${dependencies["@cloudflare/sandbox"]}\n`);
  });
});
