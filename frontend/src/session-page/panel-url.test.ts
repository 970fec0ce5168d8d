import { describe, expect, it } from "vitest";
import { readPlace, writePlace } from "./panel-url.ts";

describe("panel place", () => {
  it("survives writing and reading, with any path", () => {
    const place = { panel: "files" as const, file: "src/a b&c=ü.ts", line: 12 };
    expect(readPlace(writePlace("", place))).toEqual(place);
  });

  it("keeps what belongs to others and removes what is empty", () => {
    expect(writePlace("?at=40&panel=changes&file=x", { panel: null, file: null, line: null })).toBe("?at=40");
  });

  it("lets unknown values fall away", () => {
    expect(readPlace("?panel=evil&line=-3")).toEqual({ panel: null, file: null, line: null });
    expect(readPlace("?panel=none")).toEqual({ panel: "none", file: null, line: null });
  });
});
