import { hostPatternSchema } from "@ai-dev-platform/protocol/network";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addHost, readHost } from "./host-pattern.ts";
import { t } from "./messages.ts";

describe("readHost", () => {
  it("takes names, wildcards and pasted addresses", () => {
    const read = (typed: string) => {
      const result = readHost(typed);
      return result.ok ? result.host : result.problem;
    };
    expect(read(" Example.COM. ")).toBe("example.com");
    expect(read("*.example.com")).toBe("*.example.com");
    expect(read("https://docs.example.com/guide?x=1#y")).toBe("docs.example.com");
    expect(read("xn--bcher-kva.example")).toBe("xn--bcher-kva.example");
  });
  it("says what is wrong", () => {
    const problems: [string, string][] = [
      ["", t.hosts.empty],
      ["10.0.0.1", t.hosts.address],
      ["10.0.0.1:80", t.hosts.address],
      ["[::1]", t.hosts.address],
      ["fe80::1", t.hosts.address],
      ["example.com:8080", t.hosts.port],
      ["localhost", t.hosts.form],
      ["user@example.com", t.hosts.form],
      ["*.com.*", t.hosts.form],
      ["a..b", t.hosts.form],
      ["-a.com", t.hosts.form],
      ["exämple.com", t.hosts.form],
      ["example.com, other.com", t.hosts.form],
    ];
    for (const [typed, problem] of problems) expect(readHost(typed), typed).toEqual({ ok: false, problem });
  });
  it("takes nothing that the session refuses", () => {
    const near = fc.string({ unit: fc.constantFrom(..."ab1.-*: /@".split("")), maxLength: 40 });
    fc.assert(
      fc.property(fc.oneof(near, fc.string(), fc.domain(), fc.ipV4(), fc.webUrl()), (typed) => {
        const read = readHost(typed);
        return !read.ok || hostPatternSchema.safeParse(read.host).success;
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("addHost", () => {
  it("keeps the list free of repetition and within its bound", () => {
    expect(addHost(["a.com"], "A.com", 9)).toEqual({ ok: false, problem: t.hosts.listed });
    expect(addHost(["a.com"], "b.com", 1)).toEqual({ ok: false, problem: t.hosts.full(1) });
    expect(addHost(["a.com"], "b.com", 2)).toEqual({ ok: true, host: "b.com", hosts: ["a.com", "b.com"] });
  });
});
