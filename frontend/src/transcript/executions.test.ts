import type { ReadEntry, SessionEvent } from "@ai-dev-platform/protocol/events";
import { describe, expect, it } from "vitest";
import { applyOutput } from "./executions.ts";
import { foldAll, foldEntry } from "./fold.ts";
import { isBy } from "./is-by.ts";
import { executionRowId, type ExecutionRow } from "./rows.ts";
import type { Rows } from "./row-set.ts";
import { isOpen } from "./view.ts";

const executionId = "exe_1";
const author = { userId: "usr_mara", name: "Mara (CI)" };
const entry = (seq: number, event: SessionEvent): ReadEntry => ({ seq, at: seq * 1_000, thread: "main", turnId: null, event });
const started = entry(1, { type: "execution_started", executionId, what: "npm test", language: null, author });
const ended = (status: "completed" | "failed") =>
  entry(2, {
    type: "execution_ended",
    executionId,
    status,
    exitCode: status === "completed" ? 0 : 2,
    signal: null,
    durationMs: 900,
    stdout: "one\ntwo\n",
    stderr: "",
    omittedBytes: 0,
    filesChanged: [],
  });
const rowOf = (rows: Rows): ExecutionRow => {
  const row = rows.byId.get(executionRowId(executionId));
  if (row?.kind !== "execution") throw new Error("no row");
  return row;
};
const piece = (offset: number, text: string) => ({
  type: "execution_output" as const,
  executionId,
  stream: "stdout" as const,
  offset,
  text,
});

describe("a program that ran", () => {
  it("is one row, from its start to its end", () => {
    const rows = foldAll([started]);
    expect(rowOf(rows)).toMatchObject({ what: "npm test", author, at: 1_000, end: null });
    foldEntry(rows, ended("failed"));
    expect(rows.ids).toEqual([executionRowId(executionId)]);
    expect(rowOf(rows)).toMatchObject({ what: "npm test", at: 1_000, end: { exitCode: 2 } });
  });

  it("is told by its end alone when its start is not loaded", () => {
    expect(rowOf(foldAll([ended("completed")]))).toMatchObject({ what: "", author: null, end: { status: "completed" } });
  });

  it("stands open while it runs and when it went wrong, and folds when it went well", () => {
    const open = (...entries: ReadEntry[]) => isOpen(rowOf(foldAll(entries)), new Map());
    expect([open(started), open(started, ended("failed")), open(started, ended("completed"))]).toEqual([true, true, false]);
  });
});

describe("output on its way", () => {
  it("is joined in order, without what came twice", () => {
    const rows = foldAll([started]);
    for (const each of [piece(0, "one\n"), piece(2, "e\ntw"), piece(0, "one\n"), piece(6, "o\n")]) applyOutput(rows, each);
    expect(rowOf(rows).stdout).toEqual({ from: 0, text: "one\ntwo\n" });
  });

  it("goes on after a hole, and says from where", () => {
    const rows = foldAll([started]);
    applyOutput(rows, piece(0, "one\n"));
    applyOutput(rows, piece(500, "later\n"));
    expect(rowOf(rows).stdout).toEqual({ from: 500, text: "later\n" });
  });

  it("keeps a bounded tail, and nothing after the end", () => {
    const rows = foldAll([started]);
    for (let index = 0; index < 100; index++) applyOutput(rows, piece(index * 1_000, "x".repeat(1_000)));
    expect(rowOf(rows).stdout).toMatchObject({ from: 60_000 });
    foldEntry(rows, ended("completed"));
    applyOutput(rows, piece(100_000, "late"));
    expect(rowOf(rows).stdout.text).toBe("");
  });
});

it("tells what a person's program did from what the person did", () => {
  const viewer = { role: "owner" as const, userId: "usr_mara", name: "Mara" };
  expect(isBy({ userId: "usr_mara", name: "Mara" }, viewer)).toBe(true);
  expect(isBy(author, viewer)).toBe(false);
  expect(isBy({ userId: "usr_lee", name: "Mara" }, viewer)).toBe(false);
  expect(isBy(null, viewer)).toBe(true);
});
