import { describe, expect, it } from "vitest";
import { publicAddress } from "./public-address.ts";

const judge = (address: string, allowLoopback = false) => publicAddress(address, { allowLoopback });

describe("[WH2] an address that the platform calls for a user", () => {
  it("is https with a public name, in one written form", () => {
    expect(judge("https://hooks.example.com/a?b=c#d")).toBe("https://hooks.example.com/a?b=c");
    expect(judge("https://HOOKS.example.com:443")).toBe("https://hooks.example.com/");
  });

  it.each([
    "http://hooks.example.com/",
    "https://hooks.example.com:8443/",
    "https://user@hooks.example.com/",
    "https://user:pass@hooks.example.com/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://[::1]/",
    "https://[fd00::1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://localhost/",
    "http://localhost:9000/",
    "https://metadata.google.internal/",
    "https://10.0.0.1.nip.io/",
    "https://router.lan/",
    "https://single/",
    "ftp://hooks.example.com/",
    "javascript:alert(1)",
    "",
  ])("is never %s", (address) => {
    expect(judge(address)).toBeNull();
  });

  it("may be this computer where the platform runs on the user's own, and no other private place", () => {
    expect(judge("http://127.0.0.1:9000/hook", true)).toBe("http://127.0.0.1:9000/hook");
    expect(judge("http://localhost:9000", true)).toBe("http://localhost:9000/");
    expect(judge("http://[::1]:9000/", true)).toBe("http://[::1]:9000/");
    for (const other of [
      "http://127.0.0.2/",
      "http://10.0.0.1/",
      "http://user@localhost/",
      "ftp://localhost/",
      "http://hooks.example.com/",
    ])
      expect(judge(other, true)).toBeNull();
  });
});
