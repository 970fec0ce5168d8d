import type { TreeEntry } from "@ai-dev-platform/protocol/queries";
import { describe, expect, it } from "vitest";
import { foldersAbove, treeKey, treeRows, type Folders } from "./tree-rows.ts";

const entry = (name: string, kind: TreeEntry["kind"] = "file"): TreeEntry => ({ name, kind, bytes: 1, ignored: false });
const folders: Folders = new Map([
  ["", [entry("readme.md"), entry("src", "folder"), entry("docs", "folder")]],
  ["src", [entry("b10.ts"), entry("b2.ts"), entry("ui", "folder")]],
]);

describe("treeRows", () => {
  it("puts folders first and numbers in order, and opens only what is open", () => {
    expect(treeRows(folders, new Set()).map((row) => row.path)).toEqual(["docs", "src", "readme.md"]);
    const rows = treeRows(folders, new Set(["src"]));
    expect(rows.map((row) => row.path)).toEqual(["docs", "src", "src/ui", "src/b2.ts", "src/b10.ts", "readme.md"]);
    expect(rows[2]).toMatchObject({ level: 2, position: 1, siblings: 3 });
  });

  it("shows an open folder whose entries are still on their way as an empty one", () => {
    expect(treeRows(folders, new Set(["docs"])).map((row) => row.path)).toEqual(["docs", "src", "readme.md"]);
  });
});

describe("treeKey", () => {
  const rows = treeRows(folders, new Set(["src"]));

  it("moves, opens and closes as the tree pattern says", () => {
    expect(treeKey(rows, null, "ArrowDown")).toEqual({ type: "focus", path: "docs" });
    expect(treeKey(rows, "docs", "ArrowDown")).toEqual({ type: "focus", path: "src" });
    expect(treeKey(rows, "docs", "ArrowUp")).toEqual({ type: "none" });
    expect(treeKey(rows, "docs", "ArrowRight")).toEqual({ type: "toggle", path: "docs" });
    expect(treeKey(rows, "src", "ArrowRight")).toEqual({ type: "focus", path: "src/ui" });
    expect(treeKey(rows, "src", "ArrowLeft")).toEqual({ type: "toggle", path: "src" });
    expect(treeKey(rows, "src/b2.ts", "ArrowLeft")).toEqual({ type: "focus", path: "src" });
    expect(treeKey(rows, "readme.md", "ArrowLeft")).toEqual({ type: "none" });
    expect(treeKey(rows, "src/b2.ts", "Enter")).toEqual({ type: "open_file", path: "src/b2.ts" });
    expect(treeKey(rows, "src", "End")).toEqual({ type: "focus", path: "readme.md" });
  });

  it("finds the next name by its first letter", () => {
    expect(treeKey(rows, "src/b2.ts", "b")).toEqual({ type: "focus", path: "src/b10.ts" });
    expect(treeKey(rows, "src/b10.ts", "b")).toEqual({ type: "focus", path: "src/b2.ts" });
    expect(treeKey(rows, "docs", "z")).toEqual({ type: "none" });
  });
});

describe("foldersAbove", () => {
  it("names each folder on the way to a file", () => {
    expect(foldersAbove("src/ui/a.ts")).toEqual(["src", "src/ui"]);
    expect(foldersAbove("a.ts")).toEqual([]);
  });
});
