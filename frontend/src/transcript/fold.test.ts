import type { SessionEvent } from "@ai-dev-platform/protocol/events";
import { describe, expect, it } from "vitest";
import { foldAll } from "./fold.ts";
import { conversation, created, ended, id, logOf, queued, started, text, toolEnded, toolStarted } from "./log-fixture.ts";
import { applyLive, replaceLive } from "./live.ts";
import { blockRowId, promptRowId, toolRowId, workRowId, type Row } from "./rows.ts";
import { foldEntry } from "./fold.ts";
import { buildView } from "./view.ts";

const NONE = new Map<string, boolean>();
const shown = (entries: ReturnType<typeof logOf>, toggles = NONE, hasOpenTurn = false) =>
  buildView(foldAll(entries), [], toggles, { thread: "main", hasOpenTurn }).ids;
const row = (entries: ReturnType<typeof logOf>, rowId: string): Row | undefined => foldAll(entries).byId.get(rowId);

describe("rows", () => {
  it("puts a prompt where its turn starts, not where it was queued", () => {
    const entries = logOf([
      created,
      queued("a", "first"),
      started("1", "a"),
      queued("b", "second"),
      text("m:0", "answer"),
      ended("1"),
      started("2", "b"),
    ]);
    expect(foldAll(entries).ids.filter((rowId) => rowId.startsWith("prompt:") || rowId.startsWith("block:"))).toEqual([
      promptRowId(id("prm", "a")),
      blockRowId("main", "m:0"),
      promptRowId(id("prm", "b")),
    ]);
  });

  it("shows the words of a prompt that was edited while it waited", () => {
    const entries = logOf([
      created,
      queued("a", "frist"),
      { type: "prompt_edited", promptId: id("prm", "a"), text: "first" },
      started("1", "a"),
    ]);
    expect(row(entries, promptRowId(id("prm", "a")))).toMatchObject({ text: "first", status: "taken" });
  });

  it("shows no trace of a prompt that was withdrawn", () => {
    const entries = logOf([
      created,
      queued("a", "no"),
      { type: "prompt_withdrawn", promptId: id("prm", "a"), author: { userId: "u", name: "M" } },
    ]);
    expect(shown(entries)).toEqual([]);
  });

  it("merges a tool's start and end into one row", () => {
    expect(row(logOf(conversation), toolRowId("t3"))).toMatchObject({
      tool: "Bash",
      input: { command: "npm test" },
      result: { ok: false, output: "1 failed" },
    });
  });

  it("nests what a sub-agent did inside its row", () => {
    const rows = foldAll(logOf(conversation));
    expect(rows.byId.get(toolRowId("t4"))).toMatchObject({ childIds: [toolRowId("t5"), blockRowId("main", "m2:0")] });
    expect(rows.ids).not.toContain(toolRowId("t5"));
  });

  it("[EV3] shows an entry that cannot be read as one row and goes on", () => {
    const entries = logOf([created, text("m:0", "after")]);
    const odd = [
      { seq: 1, at: 0, thread: "main", turnId: null, event: { type: "unsupported" as const, original: "holo_call" } },
      ...entries.slice(1),
    ];
    expect(foldAll(odd).ids).toHaveLength(2);
    expect(foldAll(odd).byId.get("event:1")).toMatchObject({ kind: "status", detail: { what: "unsupported", original: "holo_call" } });
  });

  it("reads a log from its middle on", () => {
    const tail = logOf(conversation).slice(9);
    expect(() => foldAll(tail)).not.toThrow();
    expect(foldAll(tail).byId.get(toolRowId("t3"))).toMatchObject({ result: { ok: false } });
  });

  it("[TU2] marks what was under way when its turn was interrupted", () => {
    const entries = logOf([
      created,
      queued("a", "x"),
      started("1", "a"),
      toolStarted("t", "Bash", { command: "sleep 9" }),
      ended("1", "interrupted"),
    ]);
    expect(row(entries, toolRowId("t"))).toMatchObject({ isInterrupted: true, result: null });
    expect(shown(entries)).toEqual([promptRowId(id("prm", "a")), toolRowId("t"), `end:${id("trn", "1")}`]);
  });
});

describe("turn fold", () => {
  it("folds quiet steps when the turn ends; prose and failed steps stay", () => {
    const entries = logOf(conversation.slice(0, 19));
    expect(shown(entries)).toEqual([
      promptRowId(id("prm", "a")),
      workRowId(id("trn", "1")),
      blockRowId("main", "m1:0"),
      toolRowId("t3"),
      blockRowId("main", "m3:0"),
    ]);
    expect(row(entries, workRowId(id("trn", "1")))).toMatchObject({ steps: 5, files: 1, durationMs: 252_000, outcome: "completed" });
  });

  it("shows every step while the turn is open", () => {
    expect(shown(logOf(conversation.slice(0, 18)), NONE, true)).toContain(toolRowId("t1"));
  });

  it("lets a choice made by hand win", () => {
    const entries = logOf(conversation.slice(0, 19));
    expect(shown(entries, new Map([[workRowId(id("trn", "1")), true]]))).toContain(toolRowId("t1"));
    expect(shown(entries, new Map([[toolRowId("t2"), true]]))).toContain(toolRowId("t2"));
  });

  it("has no line for a turn without quiet steps", () => {
    expect(shown(logOf([created, queued("a", "hi"), started("1", "a"), text("m:0", "Hello."), ended("1")]))).toEqual([
      promptRowId(id("prm", "a")),
      blockRowId("main", "m:0"),
    ]);
  });
});

describe("live text", () => {
  const open = () => foldAll(logOf([created, queued("a", "x"), started("1", "a")]));
  const piece = (offset: number, words: string) => ({ thread: "main", block: "m:0", kind: "text" as const, offset, text: words });
  const textOf = (rows: ReturnType<typeof open>) => {
    const live = rows.byId.get(blockRowId("main", "m:0"));
    return live !== undefined && "text" in live ? live.text : undefined;
  };

  it("[LV1] grows a block by the pieces that continue it, and waits where one is missing", () => {
    const rows = open();
    applyLive(rows, piece(0, "Hel"), 0);
    applyLive(rows, piece(0, "Hel"), 0);
    applyLive(rows, piece(3, "lo "), 0);
    applyLive(rows, piece(9, "!"), 0);
    applyLive(rows, piece(4, "o you"), 0);
    expect(textOf(rows)).toBe("Hello you");
  });

  it("[LV1] gives way to the event of the same block, which stands where the log has it", () => {
    const rows = open();
    applyLive(rows, piece(0, "Hel"), 0);
    foldEntry(rows, { seq: 4, at: 0, thread: "main", turnId: id("trn", "1"), event: toolStarted("t", "Read", {}) });
    foldEntry(rows, { seq: 5, at: 0, thread: "main", turnId: id("trn", "1"), event: text("m:0", "Hello") });
    applyLive(rows, piece(3, "lo?"), 0);
    expect(textOf(rows)).toBe("Hello");
    expect(rows.ids.slice(-2)).toEqual([toolRowId("t"), blockRowId("main", "m:0")]);
  });

  it("[LV3] leaves no trace of a dropped block, also when a late piece of it arrives", () => {
    const rows = open();
    applyLive(rows, piece(0, "Hel"), 0);
    foldEntry(rows, { seq: 4, at: 0, thread: "main", turnId: id("trn", "1"), event: { type: "blocks_dropped", blocks: ["m:0"] } });
    applyLive(rows, piece(0, "Hello"), 0);
    expect(textOf(rows)).toBeUndefined();
    expect(rows.liveIds.size).toBe(0);
  });

  it("[LV2] takes the open blocks of a welcome, and forgets those that are not among them", () => {
    const rows = open();
    applyLive(rows, piece(0, "Hel"), 0);
    replaceLive(rows, [{ thread: "main", block: "m:1", kind: "text", text: "Now this" }], 0);
    expect(textOf(rows)).toBeUndefined();
    expect(rows.byId.get(blockRowId("main", "m:1"))).toMatchObject({ text: "Now this", isLive: true });
  });

  it("ends with its turn", () => {
    const rows = open();
    applyLive(rows, piece(0, "Hel"), 0);
    foldEntry(rows, { seq: 4, at: 0, thread: "main", turnId: id("trn", "1"), event: ended("1", "stopped") });
    expect(textOf(rows)).toBeUndefined();
  });
});

describe("prompts on their way", () => {
  const mine = { promptId: id("prm", "z"), text: "mine", delivery: "queue" as const, status: "sending" as const, createdAt: 1, sentAt: 1 };

  it("stand at the end while no turn is open, under the id that they keep", () => {
    const view = buildView(foldAll(logOf([created])), [mine], NONE, { thread: "main", hasOpenTurn: false });
    expect(view.ids).toEqual([promptRowId(mine.promptId)]);
    expect(view.tail.get(promptRowId(mine.promptId))).toMatchObject({ status: "sending", text: "mine" });
  });

  it("are the composer's while a turn is open", () => {
    expect(buildView(foldAll(logOf(conversation)), [mine], NONE, { thread: "main", hasOpenTurn: true }).tail.size).toBe(0);
  });

  it("wait as the queue's head once they are durable", () => {
    const view = buildView(foldAll(logOf([created, queued("a", "first"), queued("b", "second")])), [], NONE, {
      thread: "main",
      hasOpenTurn: false,
    });
    expect([...view.tail.keys()]).toEqual([promptRowId(id("prm", "a"))]);
    expect(view.tail.get(promptRowId(id("prm", "a")))).toMatchObject({ status: "waiting" });
  });
});

describe("threads", () => {
  const docs = (events: readonly SessionEvent[]) => logOf(events).map((entry) => ({ ...entry, seq: entry.seq + 100, thread: "docs" }));
  const entries = [
    ...logOf([created, queued("a", "code"), started("1", "a"), text("m:0", "in main")]),
    ...docs([queued("c", "words"), started("3", "c"), text("m:0", "in docs"), ended("3"), queued("d", "more words")]),
    { seq: 200, at: 0, thread: "main", turnId: null, event: { type: "budget_reached" as const, spentUsd: 5, budgetUsd: 5 } },
  ];
  const idsOf = (thread: string, hasOpenTurn: boolean) => buildView(foldAll(entries), [], NONE, { thread, hasOpenTurn }).ids;

  it("show their own rows, and both what concerns the session", () => {
    expect(idsOf("main", true)).toEqual([promptRowId(id("prm", "a")), blockRowId("main", "m:0"), "event:200"]);
    expect(idsOf("docs", true)).toEqual([promptRowId(id("prm", "c")), blockRowId("docs", "m:0"), "event:200"]);
  });

  it("[TH2] count a prompt's place among the thread's own", () => {
    const moved = { type: "prompt_moved" as const, promptId: id("prm", "e"), position: 0 };
    const after = [...entries, ...docs([queued("e", "first now"), moved]).map((entry) => ({ ...entry, seq: entry.seq + 200 }))];
    const rows = foldAll(after);
    expect(rows.waiting).toEqual([id("prm", "e"), id("prm", "d")]);
    expect(buildView(rows, [], NONE, { thread: "docs", hasOpenTurn: false }).ids.at(-1)).toBe(promptRowId(id("prm", "e")));
  });

  it("show their own waiting prompt", () => {
    expect(idsOf("docs", false).at(-1)).toBe(promptRowId(id("prm", "d")));
    const mine = {
      promptId: id("prm", "z"),
      text: "mine",
      delivery: "queue" as const,
      status: "sending" as const,
      createdAt: 1,
      sentAt: 1,
    };
    const view = (thread?: string) =>
      buildView(foldAll([]), [{ ...mine, ...(thread === undefined ? {} : { thread }) }], NONE, { thread: "docs", hasOpenTurn: false });
    expect(view().ids).toEqual([]);
    expect(view("docs").tail.get(promptRowId(mine.promptId))).toMatchObject({ thread: "docs" });
  });
});

it("tells of a blocked host once in a turn, at its newest place", () => {
  const blocked = { type: "host_blocked" as const, host: "a.example", method: "GET", count: 1 };
  const entries = logOf([
    created,
    queued("a", "x"),
    started("1", "a"),
    blocked,
    text("m:0", "trying"),
    blocked,
    { ...blocked, host: "b.example" },
  ]);
  const ids = foldAll(entries).ids.slice(2);
  expect(ids).toEqual([blockRowId("main", "m:0"), `blocked:${id("trn", "1")}:a.example`, `blocked:${id("trn", "1")}:b.example`]);
});

it("names every row that changed", () => {
  const rows = foldAll(logOf(conversation));
  rows.changed.clear();
  foldEntry(rows, { seq: 24, at: 0, thread: "main", turnId: id("trn", "2"), event: toolEnded("t7", true, "pushed") });
  expect([...rows.changed]).toEqual([toolRowId("t7")]);
});
