import { describe, expect, it } from "vitest";
import { foldersFirst, plainPath, rankPaths } from "./workspace-view.ts";

describe("paths that a viewer names", () => {
  it("are made plain or refused", () => {
    expect([plainPath(""), plainPath("./a//b/"), plainPath("a/.gitignore")]).toEqual(["", "a/b", "a/.gitignore"]);
    expect([
      plainPath("/a"),
      plainPath("a/../b"),
      plainPath(".git"),
      plainPath("a/.git/config"),
      plainPath(`a${String.fromCharCode(0)}b`),
    ]).toEqual(Array(5).fill(null));
  });
});

describe("finding paths", () => {
  const paths = ["src/session/reducer.ts", "src/reducer.test.ts", "docs/red/ucer.md", "README.md", "produce/rx.ts"];
  it("puts names before folders before scattered letters", () => {
    expect(rankPaths(paths, "reducer", 10)).toEqual(["src/reducer.test.ts", "src/session/reducer.ts", "docs/red/ucer.md"]);
  });
  it("keeps to its limit", () => expect(rankPaths(paths, "", 2)).toHaveLength(2));
});

describe("a folder", () => {
  it("shows folders before files, whatever their case", () => {
    const entry = (name: string, kind: "file" | "folder") => ({ name, kind, bytes: 0, ignored: false });
    const shown = foldersFirst([entry("b", "file"), entry("Zoo", "folder"), entry("A", "file"), entry("apes", "folder")]);
    expect(shown.map(({ name }) => name)).toEqual(["apes", "Zoo", "A", "b"]);
  });
});
