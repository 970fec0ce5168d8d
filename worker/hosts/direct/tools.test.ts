import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { describe, expect, it } from "vitest";
import type { SavedAnswer, SavedFiles, SavedLook } from "../../session/ports.ts";
import { MAX_READ_CHARS, MAX_SEARCHED_FILES, MAX_SHOWN_LINES } from "./limits.ts";
import { SavedTools, TOOLS } from "./tools.ts";

const state = (snapshotId: string): SnapshotRef => ({
  snapshotId,
  parentId: null,
  format: 2,
  parts: [],
  inherited: [],
  dependencies: [],
  treeBytes: 0,
  treeFiles: 1,
  leftOut: [],
});

/** Saved files by name; null is not text. `damaged` states cannot be read. */
function tools(files: Record<string, string | null>, damaged: readonly string[] = [], states = ["snp_head"]) {
  const looks: string[] = [];
  const answer = (query: SavedLook): SavedAnswer<SavedLook["kind"]> => {
    if (query.kind === "find") {
      return { ok: true, result: { kind: "find", paths: Object.keys(files).filter((path) => path.includes(query.text)) } };
    }
    if (query.kind === "tree") return { ok: true, result: { kind: "tree", path: query.path, entries: [], truncated: false } };
    const text = files[query.path];
    if (text === undefined) return { ok: false, code: "not_found", detail: "there is no such file" };
    return { ok: true, result: { kind: "file", path: query.path, bytes: 1, text, truncated: false } };
  };
  const saved: Pick<SavedFiles, "look"> = {
    async look(_sessionId, { snapshotId }, query) {
      looks.push(snapshotId);
      return damaged.includes(snapshotId) ? { ok: false, code: "snapshot_damaged", detail: "damaged" } : answer(query);
    },
  };
  const never = async () => ({ ok: false as const, code: "not_found" as const, detail: "" });
  return { tools: new SavedTools({ ...saved, changes: never, patch: never }, "ses_1", states.map(state)), looks };
}

describe("tools over saved files", () => {
  it("[DI2] offers looks alone", () => {
    expect(TOOLS.map(({ name }) => name)).toEqual(["list_files", "read_file", "search_files"]);
  });

  it("[DI2] reads the state before a damaged one, and says when none can be read", async () => {
    const { tools: both, looks } = tools({ "a.txt": "text" }, ["snp_head"], ["snp_head", "snp_before"]);
    expect(await both.call("read_file", { path: "a.txt" })).toMatchObject({ ok: true });
    expect(looks).toEqual(["snp_head", "snp_before"]);
    const { tools: none } = tools({}, ["snp_head"]);
    expect(await none.call("list_files", {})).toEqual({ ok: false, output: "damaged", path: "" });
  });

  it("[DI2] shows a part of a long file and says so", async () => {
    const long = Array.from({ length: 5_000 }, (_, n) => `line ${n + 1}`).join("\n");
    const { tools: reader } = tools({ "long.txt": long, wide: "x".repeat(10 * MAX_READ_CHARS) });
    const part = await reader.call("read_file", { path: "long.txt", from_line: 100, lines: 3 });
    expect(part.output).toBe("  100  line 100\n  101  line 101\n  102  line 102\n(shown up to line 102 of 5000)");
    expect((await reader.call("read_file", { path: "long.txt" })).output.length).toBeLessThan(MAX_READ_CHARS + 100);
    expect((await reader.call("read_file", { path: "wide" })).output.length).toBeLessThan(MAX_READ_CHARS + 100);
  });

  it("[DI2] searches a bounded number of files and shows a bounded number of lines", async () => {
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`src/${n}.ts`, "Needle\n".repeat(50)]));
    const { tools: searcher, looks } = tools({ ...files, "src/binary": null });
    const { ok, output } = await searcher.call("search_files", { name: "src", contains: "needle" });
    expect(ok).toBe(true);
    expect(output.split("\n")).toHaveLength(MAX_SHOWN_LINES + 1);
    expect(looks.length).toBeLessThanOrEqual(MAX_SEARCHED_FILES + 1);
    expect(await searcher.call("search_files", { name: "nowhere" })).toEqual({ ok: true, output: "No file matches." });
  });

  it("[DI2] answers nonsense with words", async () => {
    const { tools: reader } = tools({ picture: null });
    expect(await reader.call("read_file", { path: 7 })).toMatchObject({ ok: false, output: expect.stringContaining("path") });
    expect(await reader.call("read_file", { path: "picture" })).toMatchObject({ ok: false, output: "That is no text file." });
    expect(await reader.call("run", {})).toMatchObject({ ok: false });
  });
});
