import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_PATCH_CHARS } from "@ai-dev-platform/protocol/limits";
import { displayPath, patchOfResult, patchOfTexts } from "./patch.ts";

describe("patches", () => {
  it("shows a new file", () => {
    expect(patchOfTexts("a", null, "x\ny\n")).toBe("--- /dev/null\n+++ b/a\n@@ -0,0 +1,2 @@\n+x\n+y\n");
  });

  it("keeps three lines of context", () => {
    const before = Array.from({ length: 20 }, (_, index) => `${index}\n`).join("");
    expect(patchOfTexts("a", before, before.replace("10\n", "ten\n"))).toBe(
      "--- a/a\n+++ b/a\n@@ -8,7 +8,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n",
    );
  });

  it("is what git applies", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "patch-"));
    const file = path.join(folder, "f");
    const lines = fc
      .array(fc.constantFrom("a", "b", "c", "", "@@ x"), { minLength: 1, maxLength: 12 })
      .map((all) => all.map((line) => `${line}\n`).join(""));
    try {
      fc.assert(
        fc.property(lines, lines, (before, after) => {
          fc.pre(before !== after);
          writeFileSync(file, before);
          execFileSync("git", ["apply", "--unidiff-zero", "-"], {
            cwd: folder,
            input: patchOfTexts("f", before, after),
            stdio: ["pipe", "ignore", "pipe"],
            env: { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(folder) },
          });
          expect(readFileSync(file, "utf8")).toBe(after);
        }),
        { numRuns: 25 },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("cuts at a line and within the limit", () => {
    const patch = patchOfTexts("a", null, `${"x".repeat(99)}\n`.repeat(2_000));
    expect(patch.length).toBeLessThanOrEqual(MAX_PATCH_CHARS);
    expect(patch.endsWith("\n")).toBe(true);
  });

  it("reads the agent's own hunks, and nothing from another tool's result", () => {
    const hunk = { oldStart: 1, oldLines: 1, newStart: 1, newLines: 1, lines: ["-a", "+b"] };
    expect(patchOfResult("/w", { filePath: "/w/d/f", structuredPatch: [hunk], originalFile: "a" })).toEqual({
      path: "d/f",
      patch: "--- a/d/f\n+++ b/d/f\n@@ -1,1 +1,1 @@\n-a\n+b\n",
    });
    expect(patchOfResult("/w", { stdout: "x" })).toBeUndefined();
    expect(patchOfResult("/w", "Error")).toBeUndefined();
  });

  it("names a path outside the workspace in full", () => {
    expect([displayPath("/w", "/w/a/b"), displayPath("/w", "/wide/a"), displayPath("/w", "/w")]).toEqual(["a/b", "/wide/a", "."]);
  });
});
