import { formatPatch, structuredPatch } from "diff";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countPatch } from "./count-patch.ts";
import { parseDiff } from "./diff-lines.ts";
import { PATCH } from "./log-fixture.ts";

const linesOf = (patch: string) => {
  const parsed = parseDiff(patch);
  return parsed.kind === "lines" ? parsed.lines : [];
};

describe("diff lines", () => {
  it("numbers both sides", () => {
    expect(linesOf(PATCH).map((line) => [line.kind, line.oldNumber, line.newNumber])).toEqual([
      ["same", 41, 41],
      ["del", 42, null],
      ["del", 43, null],
      ["add", null, 42],
      ["add", null, 43],
      ["add", null, 44],
      ["same", 44, 45],
    ]);
    expect(parseDiff(PATCH)).toMatchObject({ path: "src/session/replay.ts", added: 3, removed: 2 });
  });

  it("gives back both texts of any change", () => {
    const line = fc.constantFrom("", " ", "a", "--- a", "+++ b", "-- x", "++ y", "@@ -1 +1 @@", "diff --git a b", "\\ no", "same");
    const file = fc.array(line, { maxLength: 30 }).map((lines) => lines.map((text) => `${text}\n`).join(""));
    fc.assert(
      fc.property(file, file, (before, after) => {
        const patch = formatPatch(structuredPatch("f", "f", before, after, undefined, undefined, { context: 50 }));
        const lines = linesOf(patch);
        if (before === after) return;
        const side = (kind: "del" | "add") =>
          lines
            .filter((entry) => entry.kind === "same" || entry.kind === kind)
            .map((entry) => `${entry.text}\n`)
            .join("");
        expect(side("del")).toBe(before);
        expect(side("add")).toBe(after);
      }),
    );
  });

  it("shows a patch that was cut off as far as it goes", () => {
    expect(linesOf(PATCH.split("\n").slice(0, 6).join("\n")).map((line) => line.kind)).toEqual(["same", "del", "del"]);
  });

  it("names the files when there are several, and marks what is left out between hunks", () => {
    const two = `${PATCH}--- a/b.ts\n+++ b/b.ts\n@@ -1 +1 @@\n-x\n+y\n@@ -9 +9 @@\n-x\n+y\n`;
    expect(linesOf(two).flatMap((line) => (line.kind === "file" || line.kind === "gap" ? [line.text] : []))).toEqual([
      "src/session/replay.ts",
      "b.ts",
      "⋯",
    ]);
    expect(countPatch(two)).toEqual({ added: 5, removed: 4 });
  });

  it("says so when there is nothing to draw", () => {
    expect(parseDiff("")).toEqual({ kind: "empty" });
    expect(parseDiff("diff --git a/x b/y\nrename from x\nrename to y\n")).toEqual({ kind: "empty" });
    expect(parseDiff("diff --git a/x b/x\nBinary files a/x and b/x differ\n")).toEqual({ kind: "binary" });
    expect(parseDiff("not a patch")).toEqual({ kind: "raw", text: "not a patch" });
  });
});
