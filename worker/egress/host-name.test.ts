import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPublicName, matchesHost, normalizeHost, parseTarget } from "./host-name.ts";

const problem = (address: string) => {
  const parsed = parseTarget(address);
  return parsed.ok ? `ok ${parsed.target.host}` : parsed.problem;
};

describe("addresses", () => {
  it.each([
    ["https://Registry.NPMJS.org/left-pad", "ok registry.npmjs.org"],
    ["https://registry.npmjs.org./x", "ok registry.npmjs.org"],
    ["https://registry.npmjs.org:443/x", "ok registry.npmjs.org"],
    ["http://deb.debian.org:80/x", "ok deb.debian.org"],
    ["https://ｅｘａｍｐｌｅ.com/", "ok example.com"],
    ["https://example。com/", "ok example.com"],
    // Cyrillic letters that look like Latin ones are another name, and are shown as one.
    ["https://rеgistry.npmjs.org/", "ok xn--rgistry-7gg.npmjs.org"],
    ["https://bücher.example.org/", "ok xn--bcher-kva.example.org"],
  ])("%s is %s", (address, expected) => {
    expect(problem(address)).toBe(expected);
  });

  it.each([
    ["https://registry.npmjs.org@evil.com/", "credentials"],
    ["https://user:secret@registry.npmjs.org/", "credentials"],
    ["https://registry.npmjs.org:8443/", "port"],
    ["http://registry.npmjs.org:443/", "port"],
    ["ftp://registry.npmjs.org/", "scheme"],
    ["file:///etc/passwd", "scheme"],
    ["ws://example.com/", "scheme"],
    ["http://127.0.0.1/", "address"],
    ["http://0x7f000001/", "address"],
    ["http://2130706433/", "address"],
    ["http://0177.0.0.1/", "address"],
    ["http://127.1/", "address"],
    ["http://１２７.0.0.1/", "address"],
    ["http://169.254.169.254/latest/meta-data/", "address"],
    ["http://169.254.169.254./", "address"],
    ["http://10.0.0.8/", "address"],
    ["http://8.8.8.8/", "address"],
    ["http://[::1]/", "address"],
    ["http://[::ffff:169.254.169.254]/", "address"],
    ["http://[fd00::1]/", "address"],
    ["http://localhost/", "private_name"],
    ["http://app.localhost/", "private_name"],
    ["http://metadata.google.internal/", "private_name"],
    ["http://platform.internal/", "private_name"],
    ["http://llm.internal./", "private_name"],
    ["http://printer.local/", "private_name"],
    ["http://router.lan/", "private_name"],
    ["http://intranet/", "private_name"],
    ["http://1.0.0.127.in-addr.arpa/", "private_name"],
    ["http://127.0.0.1.nip.io/", "private_name"],
    ["http://a9fea9fe.sslip.io/", "private_name"],
    ["http://localtest.me/", "private_name"],
    ["http://example..com/", "private_name"],
    ["http://example.com../", "private_name"],
    ["http://-evil.com/", "private_name"],
    ["http://exa mple.com/", "not_a_url"],
    ["http://registry.npmjs.org\0.evil.com/", "not_a_url"],
    ["http://registry.npmjs.org%00.evil.com/", "not_a_url"],
    ["", "not_a_url"],
    ["registry.npmjs.org", "not_a_url"],
  ])("%s is refused as %s", (address, expected) => {
    expect(problem(address)).toBe(expected);
  });

  it("names the host that would be connected to, whatever stands before or after it", () => {
    const evil = fc.constantFrom("registry.npmjs.org", "pypi.org");
    fc.assert(
      fc.property(evil, fc.string(), fc.string(), (listed, before, after) => {
        const address = `https://${before}${listed}${after}`;
        const parsed = parseTarget(address);
        if (!parsed.ok) return;
        // The parser that judged is the one that connects: the same name, but for the dot that ends it.
        expect(`${parsed.target.host}.`).toContain(new URL(address).hostname.replace(/\.$/, ""));
        expect(new URL(address).username + new URL(address).password + new URL(address).port).toBe("");
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("bare names", () => {
  it.each([
    ["Example.COM", "example.com"],
    ["example.com.", "example.com"],
    ["bücher.example.org", "xn--bcher-kva.example.org"],
    ["a-b.example.com", "a-b.example.com"],
  ])("%s is written %s", (text, expected) => {
    expect(normalizeHost(text)).toBe(expected);
  });

  it.each([
    "",
    "com",
    "example.com:443",
    "example.com/x",
    "example.com?x",
    "example.com#x",
    "user@example.com",
    "exa\tmple.com",
    "example.com\n",
    "example.com\0",
    "example%2ecom",
    "127.0.0.1",
    "1.2.3",
    "0x7f.1",
    "[::1]",
    "localhost",
    "x.internal",
    "*.example.com",
    `${"a".repeat(64)}.com`,
    `${"a.".repeat(130)}com`,
  ])("%j is no host name", (text) => {
    expect(normalizeHost(text)).toBeNull();
  });

  it("are a fixed point, and public", () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.string(), fc.webAuthority()), (text) => {
        const host = normalizeHost(text);
        if (host === null) return;
        expect(normalizeHost(host)).toBe(host);
        expect(isPublicName(host)).toBe(true);
        expect(parseTarget(`https://${host}/`)).toMatchObject({ ok: true, target: { host } });
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("patterns", () => {
  it("match by equality, or below a star", () => {
    expect(matchesHost("example.com", "example.com")).toBe(true);
    expect(matchesHost("example.com", "www.example.com")).toBe(false);
    expect(matchesHost("*.example.com", "www.example.com")).toBe(true);
    expect(matchesHost("*.example.com", "a.b.example.com")).toBe(true);
    expect(matchesHost("*.example.com", "example.com")).toBe(false);
    expect(matchesHost("*.example.com", "evilexample.com")).toBe(false);
    expect(matchesHost("*.example.com", "example.com.evil.net")).toBe(false);
    expect(matchesHost("example.com", "example.com.evil.net")).toBe(false);
    expect(matchesHost("*.com", "example.com")).toBe(false);
    expect(matchesHost("*", "example.com")).toBe(false);
    expect(matchesHost("*.", "example.com")).toBe(false);
  });
});
