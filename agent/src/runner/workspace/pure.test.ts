import { describe, expect, it } from "vitest";
import { compareListings, parseRawNumstat } from "./changes.ts";
import { judgeWorkspace, pathRules } from "./save-rules.ts";

const NUL = String.fromCharCode(0);

describe("git's machine output", () => {
  it("is read with renames, binaries and odd names", () => {
    const raw = [
      ":100644 100644 a b M",
      "a b.txt",
      ":100644 100644 a b R090",
      "old",
      "new",
      ":000000 100644 0 b A",
      "img.png",
      ":100644 000000 a 0 D",
      "gone\nname",
    ];
    const counts = ["1\t2\ta b.txt", "3\t0\t", "old", "new", "-\t-\timg.png", "0\t4\tgone\nname"];
    expect(parseRawNumstat([...raw, ...counts, ""].join(NUL))).toEqual([
      { path: "a b.txt", status: "modified", additions: 1, deletions: 2 },
      { path: "new", status: "renamed", additions: 3, deletions: 0 },
      { path: "img.png", status: "added", additions: -1, deletions: -1 },
      { path: "gone\nname", status: "deleted", additions: 0, deletions: 4 },
    ]);
  });
});

describe("folders without Git", () => {
  it("are compared by name, size and time", () => {
    const before = { same: { bytes: 1, mtimeMs: 1_500 }, gone: { bytes: 1, mtimeMs: 0 }, grown: { bytes: 1, mtimeMs: 0 } };
    const now = { same: { bytes: 1, mtimeMs: 1_000 }, grown: { bytes: 2, mtimeMs: 0 }, fresh: { bytes: 1, mtimeMs: 0 } };
    expect(compareListings(before, now).map(({ path, status }) => `${status} ${path}`)).toEqual([
      "added fresh",
      "deleted gone",
      "modified grown",
    ]);
  });
});

describe("what is saved", () => {
  const judge = (name: string, ...siblings: string[]) => judgeWorkspace(name, name, true, new Set(siblings));
  it("leaves out what can be made again", () => {
    expect([judge("node_modules"), judge(".venv"), judge("__pycache__"), judge("target", "Cargo.toml")]).toEqual([
      "dependencies",
      "dependencies",
      "cache",
      "cache",
    ]);
  });
  it("keeps folders that only sound like it", () => {
    expect([
      judge("target"),
      judge("venv"),
      judge("src"),
      judge(".git"),
      judgeWorkspace("node_modules", "node_modules", false, new Set()),
    ]).toEqual(Array(5).fill("take"));
  });
  it("takes of a folder in place what Git keeps", () => {
    const rules = pathRules(new Set(["src/a.ts", "b"]));
    const verdict = (at: string, isFolder: boolean) => rules.judge(at, at.slice(at.lastIndexOf("/") + 1), isFolder, new Set());
    expect([
      verdict("src", true),
      verdict("src/a.ts", false),
      verdict("src/b.ts", false),
      verdict("dist", true),
      verdict(".git", true),
    ]).toEqual(["take", "take", "skip", "skip", "skip"]);
  });
});
