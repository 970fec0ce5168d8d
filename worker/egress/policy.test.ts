import { NETWORK_LEVELS, type Network, type NetworkLevel } from "@ai-dev-platform/protocol/modes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPublicName, normalizeHost } from "./host-name.ts";
import { canBeAllowed, decideEgress } from "./policy.ts";
import { REGISTRIES } from "./registries.ts";

const network = (level: NetworkLevel, ...hosts: string[]): Network => ({ level, hosts });
const get = (host: string, path = "/") => ({ host, method: "GET", path });
const reason = (setting: Network, host: string, method = "GET", path = "/", allowances: string[] = []) => {
  const { decision, reason: why } = decideEgress(setting, allowances, { host, method, path });
  return `${decision} ${why}`;
};
const anyLevel = fc.constantFrom(...NETWORK_LEVELS);
const anyMethod = fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");

describe("levels", () => {
  it("none opens nothing", () => {
    for (const { host } of REGISTRIES) expect(reason(network("none"), host)).toBe("deny not_listed");
    expect(reason(network("none", "example.com"), "example.com")).toBe("deny not_listed");
  });

  it("registries opens packages for reading", () => {
    const level = network("registries");
    expect(reason(level, "registry.npmjs.org", "GET", "/left-pad")).toBe("allow registry");
    expect(reason(level, "pypi.org", "HEAD", "/simple/requests/")).toBe("allow registry");
    expect(reason(level, "index.crates.io", "GET", "/se/rd/serde")).toBe("allow registry");
    expect(reason(level, "proxy.golang.org")).toBe("allow registry");
    expect(reason(level, "rubygems.org", "GET", "/gems/rack-3.0.0.gem")).toBe("allow registry");
    expect(reason(level, "deb.debian.org", "GET", "/debian/dists/stable/InRelease")).toBe("allow registry");
    expect(reason(level, "github.com", "GET", "/nodejs/node/releases/download/v1/x.tgz")).toBe("allow registry");
    for (const method of ["POST", "PUT", "DELETE"]) expect(reason(level, "registry.npmjs.org", method)).toBe("deny not_listed");
  });

  it("registries opens the named part of a shared host only", () => {
    const level = network("registries");
    for (const path of ["/", "/login", "/octo/repo", "/octo/repo/info/refs", "/octo/repo/releases", "/octo/repo/raw/main/x"])
      expect(reason(level, "github.com", "GET", path)).toBe("deny not_listed");
    expect(decideEgress(level, [], { host: "github.com", method: "GET" }).decision).toBe("deny");
    expect(reason(level, "dl.google.com", "GET", "/chrome/x.deb")).toBe("deny not_listed");
    for (const host of ["upload.pypi.org", "api.github.com", "gist.github.com", "raw.githubusercontent.com", "example.com"])
      expect(reason(level, host)).toBe("deny not_listed");
  });

  it("custom opens the listed hosts beside the registries", () => {
    const level = network("custom", "example.com", "*.example.org");
    expect(reason(level, "example.com", "POST")).toBe("allow listed");
    expect(reason(level, "api.example.org", "PUT")).toBe("allow listed");
    expect(reason(level, "registry.npmjs.org")).toBe("allow registry");
    expect(reason(level, "example.org")).toBe("deny not_listed");
    expect(reason(level, "example.com.evil.net")).toBe("deny not_listed");
    // A list that was written for another level is not in force.
    expect(reason(network("registries", "example.com"), "example.com")).toBe("deny not_listed");
  });

  it("full opens all but the model's hosts, which the platform stands for", () => {
    expect(reason(network("full"), "example.com", "POST")).toBe("allow full");
    expect(reason(network("full"), "api.anthropic.com", "POST")).toBe("deny model_host");
    expect(reason(network("full", "api.anthropic.com"), "api.anthropic.com", "POST")).toBe("allow listed");
    // Reading packages stays without credentials.
    expect(reason(network("full"), "registry.npmjs.org")).toBe("allow registry");
    expect(reason(network("full"), "registry.npmjs.org", "POST")).toBe("allow full");
  });
});

describe("allowances", () => {
  it("open a host at every level, for every method", () => {
    for (const level of NETWORK_LEVELS) expect(reason(network(level), "example.com", "POST", "/", ["example.com"])).toBe("allow allowed");
    expect(reason(network("none"), "example.com", "GET", "/", ["other.com"])).toBe("deny not_listed");
  });
});

describe("whatever is allowed", () => {
  const hostile = [
    "127.0.0.1",
    "10.1.2.3",
    "169.254.169.254",
    "[::1]",
    "localhost",
    "metadata.google.internal",
    "platform.internal",
    "llm.internal",
    "db.local",
    "127.0.0.1.nip.io",
    "EXAMPLE.com",
    "example.com.",
    "example.com:80",
    "user@example.com",
    "",
    "com",
  ];
  it.each(hostile)("%j stays closed", (host) => {
    for (const level of NETWORK_LEVELS) {
      expect(decideEgress(network(level, host, "*.com", "*"), [host, "*"], get(host)).decision).toBe("deny");
      expect(canBeAllowed(host)).toBe(false);
    }
  });

  it.each(["CONNECT", "TRACE", "get", "", "PROPFIND", "G\0ET"])("the method %j stays closed", (method) => {
    expect(decideEgress(network("full"), ["example.com"], { host: "example.com", method, path: "/" }).decision).toBe("deny");
  });

  it("only written-out public names pass", () => {
    fc.assert(
      fc.property(anyLevel, anyMethod, fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6()), (level, method, host) => {
        const verdict = decideEgress(network(level, host), [host], { host, method, path: "/" });
        if (verdict.decision === "allow") {
          expect(isPublicName(host)).toBe(true);
          expect(normalizeHost(host)).toBe(host);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("a wider level never closes what a narrower one opens", () => {
    const hosts = fc.constantFrom(...REGISTRIES.map(({ host }) => host), "example.com", "a.example.org");
    fc.assert(
      fc.property(hosts, anyMethod, fc.constantFrom("/", "/simple/", "/octo/repo/archive/x.zip"), (host, method, path) => {
        const opens = (level: NetworkLevel) => decideEgress(network(level, "example.com"), [], { host, method, path }).decision === "allow";
        const order = NETWORK_LEVELS.map(opens);
        expect(order).toEqual([...order].sort());
      }),
    );
  });
});

describe("the registry table", () => {
  it("names each host once, in normal form, with a reason", () => {
    expect(new Set(REGISTRIES.map(({ host }) => host)).size).toBe(REGISTRIES.length);
    for (const { host, why } of REGISTRIES) {
      expect(normalizeHost(host)).toBe(host);
      expect(why.length).toBeGreaterThan(5);
    }
  });
});
