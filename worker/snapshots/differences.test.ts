import type { SavedEntry } from "@ai-dev-platform/protocol/packs/manifest";
import { describe, expect, it } from "vitest";
import { compareTrees, NO_ENTRIES } from "./differences.ts";
import { childrenOf, follow } from "./saved-paths.ts";

const entry = (kind: SavedEntry["kind"], change: Partial<SavedEntry> = {}): SavedEntry => ({
  kind,
  mode: 0o644,
  mtimeMs: 0,
  target: "",
  sha256: "",
  chunks: [],
  ...change,
});
const link = (target: string) => entry("link", { target });

describe("differences", () => {
  it("[SN10] are as many as one answer holds, and said to be cut", () => {
    const many = (count: number, name: (n: number) => string) => new Map(Array.from({ length: count }, (_, n) => [name(n), entry("file")]));
    expect(
      compareTrees(
        NO_ENTRIES,
        many(1_000, (n) => `f${n}`),
      ),
    ).toMatchObject({ truncated: false });
    const cut = compareTrees(
      many(1_001, (n) => `f${n}`),
      NO_ENTRIES,
    );
    expect([cut.files.length, cut.truncated]).toEqual([1_000, true]);
    const long = compareTrees(
      NO_ENTRIES,
      many(900, (n) => `${"x".repeat(1_000)}${n}`),
    );
    expect([long.files.length, long.truncated]).toEqual([199, true]);
  });

  it("tell a folder that became a file, and a file that became a link", () => {
    const before = new Map([
      ["a", entry("folder")],
      ["a/b", entry("file")],
      ["c", entry("file")],
    ]);
    const after = new Map([
      ["a", entry("file")],
      ["c", link("a")],
    ]);
    expect(compareTrees(before, after).files.map(({ path, status }) => `${status} ${path}`)).toEqual([
      "added a",
      "deleted a/b",
      "modified c",
    ]);
  });
});

describe("paths in a saved state", () => {
  const entries = new Map([
    ["src", entry("folder")],
    ["src/a", entry("file")],
    ["src/here", link(".")],
    ["code", link("src")],
    ["loop", link("loop")],
    ["away", link("../x")],
    ["git", link(".git")],
    [".git", entry("folder")],
    [".git/config", entry("file")],
    ["sub", entry("folder")],
    ["sub/.git", entry("file")],
  ]);
  it("[SN10] lead through links, and neither out nor into Git's own store", () => {
    const at = (path: string) => follow(entries, path)?.path ?? null;
    expect([at(""), at("src/a"), at("code/a"), at("code/here/here/a"), at("sub")]).toEqual(["", "src/a", "src/a", "src/a", "sub"]);
    expect(["loop", "away", "git", "git/config", ".git/config", "sub/.git", "src/a/b", "missing", "code/missing"].map(at)).toEqual(
      Array(9).fill(null),
    );
  });
  it("[SN10] are shown folder by folder, without Git's own store", () => {
    expect(childrenOf(entries, "").entries.map(({ name }) => name)).toEqual(["src", "sub", "away", "code", "git", "loop"]);
    expect(childrenOf(entries, "sub").entries).toEqual([]);
  });
});
