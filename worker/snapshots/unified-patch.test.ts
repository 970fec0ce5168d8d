import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { unifiedPatch, type Side } from "./unified-patch.ts";

const side = (text: string | null, mode = "100644"): Side => ({ text, mode });

function applied(old: string, patch: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), "patch-"));
  try {
    writeFileSync(path.join(folder, "f"), old);
    execFileSync("git", ["apply", "-p1", "--unidiff-zero", "--whitespace=nowarn", "-"], {
      cwd: folder,
      input: patch,
      stdio: ["pipe", "ignore", "pipe"],
    });
    return readFileSync(path.join(folder, "f"), "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it("says what Git can apply", () => {
  const line = fc.constantFrom("a\n", "b\n", "\n", "c\r\n", "-- x\n", "+d\n");
  const text = fc.tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom("", "end")).map(([lines, end]) => lines.join("") + end);
  fc.assert(
    fc.property(text, text, (old, now) => {
      fc.pre(old !== now && old !== "" && now !== "");
      expect(applied(old, unifiedPatch("f", side(old), side(now)).patch)).toBe(now);
    }),
    { numRuns: 60 },
  );
});

it("replaces the middle when too much differs, and Git can apply that too", () => {
  const lines = (word: string, count: number) => Array.from({ length: count }, (_, n) => `${word} ${n}\n`).join("");
  const old = `top\n1\n2\n3\n4\n${lines("x", 2_000)}a\nb\nc\nd\nend`;
  const now = `top\n1\n2\n3\n4\n${lines("y", 1_500)}a\nb\nc\nd\nend`;
  const { patch, truncated } = unifiedPatch("f", side(old), side(now));
  expect(truncated).toBe(false);
  expect(patch).toContain("@@ -3,2006 +3,1506 @@\n 2\n 3\n 4\n-x 0\n");
  expect(applied(old, patch)).toBe(now);
});

it("names new, deleted, binary and only made executable files as Git does", () => {
  expect(unifiedPatch("d/n", null, side("one\ntwo", "100755")).patch).toBe(
    "diff --git a/d/n b/d/n\nnew file mode 100755\n--- /dev/null\n+++ b/d/n\n@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file\n",
  );
  expect(unifiedPatch("n", side("one\n"), null).patch).toBe(
    "diff --git a/n b/n\ndeleted file mode 100644\n--- a/n\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-one\n",
  );
  expect(unifiedPatch("n", side(null), side("x")).patch).toBe("diff --git a/n b/n\nBinary files a/n and b/n differ\n");
  expect(unifiedPatch("n", side("x"), side("x", "100755")).patch).toBe("diff --git a/n b/n\nold mode 100644\nnew mode 100755\n");
});

it("is cut where a patch may not be longer", () => {
  const { patch, truncated } = unifiedPatch("n", null, side("x".repeat(200_000)));
  expect([patch.length, truncated]).toEqual([96_000, true]);
});
