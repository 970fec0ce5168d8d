import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { runnerEventSchema, type RunnerEvent } from "@ai-dev-platform/protocol/events";
import { MAX_TOOL_INPUT_CHARS, MAX_TOOL_OUTPUT_CHARS } from "@ai-dev-platform/protocol/limits";
import type { LivePiece } from "../live.ts";
import { readAgentMessage } from "./messages.ts";
import type { TurnResult } from "./outcome.ts";
import { abandonAll, newTranslator, openLive, toEvents, toolAllowed, type TranslatorState } from "./to-events.ts";

const FIXTURES = path.join(import.meta.dirname, "__fixtures__");
const NAMES = ["write-and-bash", "edit", "thinking", "sub-agent", "demo", "failed", "cut", "interrupted", "steered"];

interface Told {
  state: TranslatorState;
  events: RunnerEvent[];
  live: LivePiece[];
  results: TurnResult[];
  lifecycle: string[];
}

function tell(messages: unknown[], state = newTranslator("/workspace", "default", null)): Told {
  const told: Told = { state, events: [], live: [], results: [], lifecycle: [] };
  messages.forEach((raw, index) => {
    const message = readAgentMessage(raw);
    if (message === null) return;
    const step = toEvents(told.state, message, 1_000 + index);
    told.state = step.state;
    told.events.push(...step.events);
    told.live.push(...step.live);
    if (step.result !== undefined) told.results.push(step.result);
    if (step.lifecycle !== undefined) told.lifecycle.push(`${step.lifecycle.state} ${step.lifecycle.uuid.at(-1)}`);
  });
  return told;
}

const fixture = (name: string): unknown[] => JSON.parse(readFileSync(path.join(FIXTURES, `${name}.json`), "utf8"));
const ofType = <T extends RunnerEvent["type"]>(told: Told, type: T) =>
  told.events.filter((event): event is Extract<RunnerEvent, { type: T }> => event.type === type);

const stream = (event: object, more: object = {}) => ({ type: "stream_event", parent_tool_use_id: null, event, ...more });
const start = (id: string) => stream({ type: "message_start", message: { id } });
const open = (index: number, type = "text") => stream({ type: "content_block_start", index, content_block: { type } });
const delta = (index: number, text: string) => stream({ type: "content_block_delta", index, delta: { type: "text_delta", text } });
const assistant = (id: string, ...content: object[]) => ({ type: "assistant", parent_tool_use_id: null, message: { id, content } });
const toolUse = (id: string, name: string, input: object) => ({ type: "tool_use", id, name, input });
const toolResult = (id: string, content: unknown, result?: unknown, isError = false) => ({
  type: "user",
  parent_tool_use_id: null,
  message: { content: [{ type: "tool_result", tool_use_id: id, content, is_error: isError }] },
  tool_use_result: result,
});

describe("captured conversations", () => {
  it.each(NAMES)("%s: every event fits the contract, and nothing stays open", (name) => {
    const told = tell(fixture(name));
    for (const event of told.events) expect(runnerEventSchema.safeParse(event).error).toBeUndefined();
    expect(told.results).toHaveLength(1);
    expect(told.state.openBlocks).toEqual([]);
    expect(told.state.tools).toEqual({});
    expect(
      ofType(told, "tool_ended")
        .map((event) => event.toolId)
        .toSorted(),
    ).toEqual(
      ofType(told, "tool_started")
        .map((event) => event.toolId)
        .toSorted(),
    );
    expect(told.state.agentSessionId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each(NAMES)("[LV1] %s: the live pieces of a block add up to its event, or it is dropped", (name) => {
    const told = tell(fixture(name));
    const dropped = ofType(told, "blocks_dropped").flatMap((event) => event.blocks);
    const texts = new Map<string, string>();
    for (const piece of told.live) {
      const before = texts.get(piece.block) ?? "";
      expect(piece.offset).toBe(before.length);
      texts.set(piece.block, before + piece.text);
    }
    const written = new Map(
      [...ofType(told, "text_written"), ...ofType(told, "thinking_written")].map((event) => [event.block, event.text]),
    );
    for (const [block, text] of texts) {
      if (dropped.includes(block)) expect(written.has(block)).toBe(false);
      else expect(written.get(block)).toBe(text);
    }
  });

  it("shows files with their patches", () => {
    const told = tell(fixture("edit"));
    expect(ofType(told, "tool_ended")).toMatchObject([
      { ok: true, path: "note.txt", patch: "--- /dev/null\n+++ b/note.txt\n@@ -0,0 +1,3 @@\n+one\n+two\n+three\n" },
      { ok: true, path: "note.txt", patch: "--- a/note.txt\n+++ b/note.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n" },
    ]);
  });

  it("marks what a sub-agent says", () => {
    const told = tell(fixture("sub-agent"));
    const [agent] = ofType(told, "tool_started");
    expect(ofType(told, "text_written").map((event) => event.parentToolId)).toEqual([agent?.toolId, undefined]);
  });

  it("follows the task list", () => {
    const lists = ofType(tell(fixture("demo")), "todos_updated").map((event) => event.items.map((item) => item.status[0]).join(""));
    expect(lists.at(0)).toBe("ipp");
    expect(lists.at(-1)).toBe("ccc");
  });

  it("[LV3] drops the text of a message that was cut off, and says that it is asked again", () => {
    const told = tell(fixture("cut"));
    expect(told.events.map((event) => event.type)).toEqual(["blocks_dropped", "agent_retrying", "text_written"]);
    expect(told.results[0]?.outcome).toBe("completed");
  });

  it("keeps what was said before a stop", () => {
    const told = tell(fixture("interrupted"));
    expect(told.events.map((event) => event.type)).toEqual(["text_written"]);
    expect(told.results[0]).toMatchObject({ outcome: "stopped" });
  });

  it("names the error inside a success", () => {
    const told = tell(fixture("failed"));
    expect(told.events).toEqual([]);
    expect(told.results[0]).toMatchObject({
      outcome: "failed",
      problem: { code: "budget_reached", detail: "API Error: 402 scripted failure" },
    });
  });

  it("[PR4] follows both prompts of a steered turn", () => {
    const told = tell(fixture("steered"));
    expect(told.lifecycle).toEqual(["queued 1", "started 1", "queued 2", "started 2", "completed 2", "completed 1"]);
    expect(told.results[0]?.consumed.map((uuid) => uuid.at(-1))).toEqual(["1", "2"]);
  });
});

describe("single messages", () => {
  it("numbers blocks of a message that did not stream", () => {
    const told = tell([
      assistant("m1", { type: "text", text: "a" }),
      assistant("m1", toolUse("t1", "Bash", {}), { type: "text", text: "b" }),
      assistant("m2", { type: "text", text: "c" }),
    ]);
    expect(ofType(told, "text_written").map((event) => event.block)).toEqual(["m1:0", "m1:1", "m2:0"]);
  });

  it("[LV3] drops open text when a new message starts", () => {
    const told = tell([start("m1"), open(0), delta(0, "half"), start("m2"), open(0), delta(0, "x")]);
    expect(told.events).toEqual([{ type: "blocks_dropped", blocks: ["m1:0"] }]);
    expect(openLive(told.state)).toMatchObject([{ block: "m2:0", offset: 0, text: "x" }]);
  });

  it("ends running tools when the agent is gone", () => {
    const told = tell([assistant("m1", toolUse("t1", "Bash", { command: "sleep 9" })), start("m2"), open(0), delta(0, "ha")]);
    const gone = abandonAll(told.state, 5_000);
    expect(gone.events).toMatchObject([
      { type: "blocks_dropped", blocks: ["m2:0"] },
      { type: "tool_ended", toolId: "t1", ok: false, durationMs: 4_000 },
    ]);
    expect(gone.finished).toEqual(["m2:0"]);
  });

  it("counts a tool's time from the answer", () => {
    const asked = tell([assistant("m1", toolUse("t1", "Bash", { command: "x" }))]);
    const allowed = toolAllowed(asked.state, "t1", 990);
    expect(tell([toolResult("t1", "ok")], allowed).events).toMatchObject([{ durationMs: 10 }]);
  });

  it("cuts long output and long input, and says how much", () => {
    const told = tell([
      assistant("m1", toolUse("t1", "Write", { file_path: "/workspace/a", content: "x".repeat(MAX_TOOL_INPUT_CHARS) })),
      toolResult("t1", [{ type: "text", text: "y".repeat(MAX_TOOL_OUTPUT_CHARS + 5) }, { type: "image" }], {
        filePath: "/workspace/a",
        structuredPatch: [],
        content: "z\n".repeat(80_000),
      }),
    ]);
    const [started] = ofType(told, "tool_started");
    const [ended] = ofType(told, "tool_ended");
    expect(JSON.stringify(started?.input).length).toBeLessThan(MAX_TOOL_INPUT_CHARS);
    expect(ended?.output.length).toBe(MAX_TOOL_OUTPUT_CHARS);
    expect(ended?.omittedChars).toBe(5 + "\n[image]".length);
    expect(runnerEventSchema.safeParse(ended).success).toBe(true);
  });

  it("splits a very long text into blocks that fit a frame", () => {
    const text = "😀".repeat(100_000);
    const told = tell([assistant("m1", { type: "text", text })]);
    const parts = ofType(told, "text_written");
    expect(parts.map((part) => part.block)).toEqual(["m1:0", "m1:0.1"]);
    expect(parts.map((part) => part.text).join("")).toBe(text);
    expect(parts.every((part) => part.text.isWellFormed())).toBe(true);
  });

  it("shows an error without the agent's tags", () => {
    const told = tell([
      assistant("m1", toolUse("t1", "Nope", {})),
      toolResult("t1", "<tool_use_error>Error: No such tool</tool_use_error>", "Error", true),
    ]);
    expect(ofType(told, "tool_ended")).toMatchObject([{ ok: false, output: "Error: No such tool" }]);
  });

  it("tells a change of mode once, and keeps our own mode when the agent reports its stand-in", () => {
    const status = (permissionMode: string) => ({ type: "system", subtype: "status", permissionMode });
    expect(tell([status("default"), status("acceptEdits"), status("acceptEdits"), status("auto")]).events).toEqual([
      { type: "agent_mode_changed", mode: "acceptEdits" },
    ]);
    expect(tell([status("default")], newTranslator("/workspace", "bypassPermissions", null)).events).toEqual([]);
  });

  it("follows tasks that are created one by one", () => {
    const told = tell([
      assistant("m1", toolUse("t1", "TaskCreate", { subject: "one" }), toolUse("t2", "TaskCreate", { subject: "two" })),
      toolResult("t1", "", { task: { id: "1", subject: "one" } }),
      toolResult("t2", "", { task: { id: "2", subject: "two" } }),
      assistant(
        "m2",
        toolUse("t3", "TaskUpdate", { taskId: "2", status: "in_progress" }),
        toolUse("t4", "TaskUpdate", { taskId: "1", status: "deleted" }),
      ),
      toolResult("t3", "", { success: true }),
      toolResult("t4", "", { success: true }),
    ]);
    expect(ofType(told, "todos_updated").at(-1)?.items).toEqual([{ text: "two", status: "in_progress" }]);
  });

  it("tells that the conversation was compacted", () => {
    expect(tell([{ type: "system", subtype: "compact_boundary", compact_metadata: { pre_tokens: 1234 } }]).events).toEqual([
      { type: "conversation_compacted", beforeTokens: 1234 },
    ]);
  });

  it("takes the conversation's new id after it was cleared", () => {
    expect(tell([{ type: "conversation_reset", new_conversation_id: "new" }]).state.agentSessionId).toBe("new");
  });

  it("ignores what it does not know", () => {
    expect(readAgentMessage({ type: "from_the_future" })).toBeNull();
    expect(readAgentMessage(null)).toBeNull();
    expect(
      tell([
        { type: "system", subtype: "from_the_future" },
        { type: "stream_event", event: {} },
      ]).events,
    ).toEqual([]);
  });
});
