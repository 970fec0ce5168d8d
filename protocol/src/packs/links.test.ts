import { describe, expect, it } from "vitest";
import { staysInside } from "./links.ts";

describe("a link", () => {
  const targets = new Map([
    ["up", "."],
    ["a/b/top", "../.."],
    ["loop", "loop"],
    ["away", "/etc"],
  ]);
  const inside = (at: string, target: string) => staysInside(at, target, (name) => targets.get(name));

  it("stays inside when every step does", () => {
    expect([
      inside("x", "a/b"),
      inside("a/b/x", "../../y"),
      inside("x", "a/b/top/z"),
      inside("x", "missing/deep"),
      inside("x", "loop"),
    ]).toEqual(Array(5).fill(true));
  });

  it("leaves when any step does, other links included", () => {
    expect([
      inside("x", ".."),
      inside("a/x", "../../y"),
      inside("x", "/etc"),
      inside("x", "a/b/top/.."),
      inside("x", "up/../y"),
      inside("x", "away/passwd"),
      inside("x", ""),
    ]).toEqual(Array(7).fill(false));
  });
});
