/** Frozen examples of every frame. An edit here is a deliberate change of the wire: the other side changes with it. */
import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { decodeFrame, encodeFrame } from "./codec.ts";
import { readEvent, runnerEventSchema, sessionAuthoredSchema, sessionEventSchema } from "./events.ts";
import { MAX_FRAME_BYTES, MAX_PROMPT_CHARS, MAX_VIEWER_FRAME_BYTES } from "./limits.ts";
import { machineFrameSchema, machineOrderFrameSchema } from "./machine.ts";
import { outboxItemSchema, runnerFrameSchema, runnerOrderFrameSchema } from "./runner.ts";
import { judgeVersion, PROTOCOL_VERSION } from "./version.ts";
import { viewerFrameSchema } from "./viewer.ts";

const id = (prefix: string) => `${prefix}_${"0123456789abcdefghjkmnpqrs"}`;
const [ses, prj, prm, trn, apr, snp, mch, req] = ["ses", "prj", "prm", "trn", "apr", "snp", "mch", "req"].map(id) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
const exe = id("exe");
const ended = {
  executionId: exe,
  exitCode: 0,
  signal: null,
  durationMs: 12,
  stdout: "1\n",
  stderr: "",
  omittedBytes: 0,
  filesChanged: [{ path: "a.txt", status: "added", additions: 1, deletions: 0 }],
};
const author = { userId: "u1", name: "Mara" };
const usage = { inputTokens: 10, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0.001 };
const problem = { code: "agent_error", message: "Claude stopped with an error." };
const snapshot = {
  snapshotId: snp,
  parentId: null,
  format: 2,
  dependencies: [],
  inherited: [],
  parts: [{ bytes: 5, sha256: "a".repeat(64) }],
  treeBytes: 5,
  treeFiles: 1,
  leftOut: [{ path: "node_modules", reason: "dependencies" }],
};
const permission = {
  kind: "permission",
  approvalId: apr,
  tool: "Bash",
  toolId: "toolu_1",
  subject: "git push",
  reason: "",
  input: { command: "git push" },
  sessionRule: "git push",
};

const signature = {
  keyId: "k".repeat(22),
  machineId: mch,
  incarnation: 3,
  counter: 1,
  nonce: "n".repeat(22),
  issuedAt: 1_800_000_000_000,
  expiresAt: 1_800_000_060_000,
  signature: "s".repeat(86),
};

const VIEWER = [
  { type: "hello", version: 1, afterSeq: null },
  { type: "ack", receivedBytes: 65_536 },
  { type: "history", requestId: req, beforeSeq: 200, limit: 100 },
  { type: "prompt", promptId: prm, text: "Fix it", delivery: "steer" },
  { type: "prompt_edit", requestId: req, promptId: prm, text: "Fix that" },
  { type: "prompt_move", requestId: req, promptId: prm, position: 0 },
  { type: "prompt_withdraw", requestId: req, promptId: prm },
  { type: "stop", requestId: req, turnId: trn },
  { type: "answer", requestId: req, approvalId: apr, answer: { decision: "allow_once" } },
  { type: "set_mode", requestId: req, mode: "plan" },
  { type: "set_model", requestId: req, model: "sonnet" },
  { type: "machine_command", requestId: req, command: { kind: "allow_collaborators", allowed: true }, signature },
  { type: "set_budget", requestId: req, budgetUsd: 5 },
  { type: "set_max_hours", requestId: req, maxHours: 24 },
  { type: "set_lifecycle", requestId: req, lifecycle: "multi-agent" },
  { type: "set_network", requestId: req, network: { level: "custom", hosts: ["*.example.com"] } },
  { type: "allow_host", requestId: req, host: "example.com", scope: "once" },
  { type: "stop_all", requestId: req, turnIds: [trn] },
  { type: "stop_execution", requestId: req, executionId: exe },
  { type: "start_thread", requestId: req, thread: "tests", title: "Tests" },
  { type: "rename", requestId: req, title: "Fix reconnect" },
  { type: "query", requestId: req, query: { kind: "file", path: "README.md" } },
  { type: "warm" },
  { type: "save", requestId: req },
  { type: "rewind", requestId: req, snapshotId: snp, scope: "files" },
  { type: "set_host", requestId: req, host: "machine", machineId: mch },
];
const RUNNER = [
  { type: "hello", version: 1, sessionId: ses, incarnation: 1, runnerVersion: "0.1.0", lastRseq: 0 },
  { type: "ready", openTurnId: null },
  {
    type: "emit",
    items: [{ rseq: 1, at: 1, thread: "main", turnId: trn, body: { type: "text_written", block: "msg_1:0", text: "Done." } }],
  },
  { type: "live", thread: "main", block: "msg_1:0", kind: "text", offset: 0, text: "Do" },
  { type: "execution_output", executionId: exe, stream: "stdout", offset: 0, text: "1 passed\n" },
  { type: "progress", step: "cloning", detail: "Receiving objects" },
  { type: "reply", requestId: req, result: { kind: "find", paths: ["a.ts"] } },
  { type: "refused", requestId: req, code: "not_found", detail: "" },
  { type: "commit", requestId: req, snapshot, agentSessionId: null, throughRseq: 4, asked: false },
  { type: "save_skipped", reason: "unchanged" },
  { type: "busy", tasks: 1 },
  { type: "log", lines: ["cloning"] },
  { type: "failed", problem },
  { type: "bye" },
];
const RUNNER_ORDERS = [
  {
    type: "welcome",
    version: 1,
    ackedRseq: 0,
    config: {
      source: { kind: "git", url: "https://example.com/a.git", branch: null },
      trustProject: false,
      mode: "default",
      model: "default",
      agentSessionId: null,
      snapshots: [snapshot],
      mcpServers: [],
    },
  },
  { type: "ack", rseq: 4 },
  { type: "prompt", turnId: trn, promptId: prm, thread: "main", text: "Fix it", steer: false },
  { type: "interrupt", turnId: trn },
  { type: "answer", approvalId: apr, answer: { decision: "deny", message: "no" } },
  { type: "set_mode", mode: "acceptEdits" },
  { type: "machine_command", command: { kind: "unpin_key", keyId: "k".repeat(22) }, signature },
  { type: "set_model", model: "opus" },
  { type: "query", requestId: req, query: { kind: "changes" } },
  { type: "save", requestId: req, asked: false },
  { type: "committed", requestId: req, ok: true, head: snp },
  { type: "threads", threads: [{ thread: "tests", title: "Tests", mode: "default" }] },
  {
    type: "execute",
    executionId: exe,
    run: {
      language: "python",
      code: "print(1)",
      files: { "a.txt": "a" },
      stdin: "",
      env: { A: "1" },
      timeoutMs: 60_000,
      outputBytes: 65_536,
    },
  },
  { type: "stop_execution", executionId: exe },
  { type: "retire" },
];
const MACHINE = [
  {
    type: "hello",
    version: 1,
    machineId: mch,
    name: "Laptop",
    platform: "linux x64",
    agentVersion: "0.1.0",
    capacity: 4,
    running: [{ sessionId: ses, incarnation: 1 }],
    allowsPaths: true,
  },
  { type: "reply", requestId: req, ok: true },
  { type: "runner_exited", sessionId: ses, incarnation: 1, exitCode: 0, signal: null, lastWords: "" },
  { type: "about", folders: ["/home/mara/site"] },
];
const MACHINE_ORDERS = [
  { type: "welcome", version: 1, serverVersion: "0.1.0", replaced: { name: "laptop", connectedAt: 1 } },
  { type: "start", requestId: req, order: { sessionId: ses, incarnation: 1, linkToken: "l", modelToken: "m", source: { kind: "empty" } } },
  { type: "kill", requestId: req, sessionId: ses, incarnation: 1 },
  { type: "forget", requestId: req, sessionId: ses },
];
const SESSION_EVENTS = [
  {
    type: "session_created",
    title: "t",
    projectId: prj,
    projectName: "p",
    lifecycle: "hydrated",
    modelSource: "key",
    mode: "default",
    model: "default",
    budgetUsd: 5,
  },
  { type: "session_renamed", title: "t" },
  { type: "prompt_queued", promptId: prm, text: "Fix it", delivery: "queue", author },
  { type: "prompt_edited", promptId: prm, text: "Fix" },
  { type: "prompt_moved", promptId: prm, position: 0 },
  { type: "prompt_withdrawn", promptId: prm, author },
  { type: "turn_started", turnId: trn, promptId: prm },
  { type: "prompt_delivered", promptId: prm, turnId: trn },
  { type: "stop_requested", turnId: trn, author },
  { type: "turn_ended", turnId: trn, outcome: "completed", durationMs: 5, usage },
  { type: "approval_answered", approvalId: apr, answer: { decision: "answers", answers: { "Which?": ["a", "b"] } }, author },
  { type: "approval_expired", approvalId: apr },
  { type: "mode_set", mode: "plan" },
  { type: "model_set", model: "opus" },
  { type: "host_changed", state: "ready", incarnation: 1, hostName: "Laptop" },
  { type: "snapshot_saved", snapshotId: snp, throughSeq: 9, treeFiles: 1, storedBytes: 5, leftOut: [] },
  { type: "snapshot_failed", problem },
  { type: "forked", sessionId: ses, title: "Relay", toSeq: 9, snapshotId: snp, treeFiles: 1 },
  { type: "rewound", snapshotId: snp, toSnapshotId: snp, toSeq: 9, treeFiles: 1, author, scope: "files" },
  { type: "host_moved", from: "sandbox", to: "machine", machineId: mch, author },
  { type: "host_move_failed", to: "sandbox", machineId: null, problem: { code: "move_refused", message: "no", detail: "why" }, author },
  { type: "budget_set", budgetUsd: 10 },
  { type: "budget_reached", spentUsd: 5, budgetUsd: 5 },
  { type: "lifecycle_set", lifecycle: "ephemeral", author },
  { type: "network_set", network: { level: "none", hosts: [] }, author },
  { type: "host_blocked", host: "example.com", method: "POST", count: 3 },
  { type: "host_allowed", host: "example.com", scope: "always", author },
  { type: "host_used", incarnation: 1, seconds: 600, costUsd: 0.0123 },
  { type: "max_hours_set", maxHours: 24, author },
  { type: "time_cap_reached", seconds: 43_200, maxHours: 12 },
  { type: "workspace_dropped", incarnation: 1 },
  { type: "thread_started", thread: "tests", title: "Tests", author },
  { type: "execution_started", executionId: exe, what: "print(1)", language: "python", author },
  { type: "execution_ended", status: "completed", ...ended },
];
const RUNNER_EVENTS = [
  { type: "agent_ready", agentVersion: "2.1.329", model: "m", commands: [], models: [], mcpServers: [], resumed: false },
  { type: "text_written", block: "b", text: "t" },
  { type: "thinking_written", block: "b", text: "t" },
  { type: "tool_started", toolId: "t", tool: "Bash", input: { command: "ls" } },
  { type: "tool_ended", toolId: "t", ok: true, output: "a", omittedChars: 0, durationMs: 1 },
  { type: "blocks_dropped", blocks: ["b"] },
  { type: "todos_updated", items: [{ text: "a", status: "pending" }] },
  { type: "approval_requested", request: permission },
  { type: "approval_withdrawn", approvalId: apr },
  { type: "agent_retrying", attempt: 1, maxAttempts: 10, delayMs: 500, status: 529 },
  { type: "context_measured", usedTokens: 1, maxTokens: 2 },
  { type: "files_changed", base: "HEAD", files: [{ path: "a", status: "added", additions: 1, deletions: 0 }] },
  { type: "mcp_changed", servers: [{ name: "a", status: "failed", scope: "user", error: "refused" }] },
  { type: "agent_mode_changed", mode: "acceptEdits" },
  { type: "conversation_compacted", beforeTokens: 1 },
  { type: "notice", level: "info", text: "t" },
];

const TABLES: [string, z.ZodDiscriminatedUnion<readonly z.core.$ZodTypeDiscriminable[]>, { type: string }[]][] = [
  ["viewer frames", viewerFrameSchema, VIEWER],
  ["runner frames", runnerFrameSchema, RUNNER],
  ["orders to a runner", runnerOrderFrameSchema, RUNNER_ORDERS],
  ["machine frames", machineFrameSchema, MACHINE],
  ["orders to a machine", machineOrderFrameSchema, MACHINE_ORDERS],
  ["session events", sessionAuthoredSchema, SESSION_EVENTS],
  ["runner events", runnerEventSchema, RUNNER_EVENTS],
];

describe.each(TABLES)("%s", (_name, schema, examples) => {
  it("has one frozen example of each, and no other", () => {
    expect(examples.length).toBe(schema.options.length);
    expect(new Set(examples.map(({ type }) => type)).size).toBe(examples.length);
  });
  it.each(examples)("reads $type back as it was written", (example) => {
    expect(decodeFrame(schema, encodeFrame(example), MAX_FRAME_BYTES)).toEqual({ ok: true, frame: example });
  });
});

describe("hostile input", () => {
  it.each([
    "",
    "nonsense",
    "[]",
    "null",
    "{}",
    '{"type":"prompt"}',
    '{"type":"__proto__"}',
    '{"type":"hello","version":1,"afterSeq":1.5}',
    '{"type":"hello","version":1,"afterSeq":-1}',
    '{"type":"warm","role":"owner"}',
    `{"type":"prompt","promptId":"${prm}","text":"   ","delivery":"queue"}`,
  ])("[PV3] refuses %s without throwing", (text) =>
    expect(decodeFrame(viewerFrameSchema, text, MAX_VIEWER_FRAME_BYTES)).toMatchObject({ ok: false, code: "bad_frame" }),
  );
  it("[PV3] refuses binary and oversized frames", () => {
    expect(decodeFrame(viewerFrameSchema, new Uint8Array(3), 10)).toMatchObject({ ok: false, code: "bad_frame" });
    expect(decodeFrame(viewerFrameSchema, "x".repeat(MAX_VIEWER_FRAME_BYTES + 1), MAX_VIEWER_FRAME_BYTES)).toMatchObject({
      ok: false,
      code: "too_large",
    });
    const prompt = { type: "prompt", promptId: prm, text: "x".repeat(MAX_PROMPT_CHARS + 1), delivery: "queue" };
    expect(decodeFrame(viewerFrameSchema, encodeFrame(prompt), MAX_VIEWER_FRAME_BYTES)).toMatchObject({ ok: false });
  });
  it.each(SESSION_EVENTS)("[EV4] a runner cannot write $type", (event) => {
    expect(outboxItemSchema.safeParse({ rseq: 1, at: 1, thread: "main", turnId: null, body: event }).success).toBe(false);
  });
  it("reads a program's report, which only the session may turn into its end", () => {
    const item = { rseq: 1, at: 1, thread: "main", turnId: null };
    expect(outboxItemSchema.safeParse({ ...item, body: { type: "execution_report", status: "timed_out", ...ended } }).success).toBe(true);
    expect(outboxItemSchema.safeParse({ ...item, body: { type: "execution_report", status: "lost", ...ended } }).success).toBe(false);
  });
  it("[EV3] keeps an event that it cannot read as unsupported", () => {
    expect(readEvent({ type: "from_the_future", x: 1 })).toEqual({ type: "unsupported", original: "from_the_future" });
    expect(readEvent(7)).toEqual({ type: "unsupported", original: "unknown" });
    expect(sessionEventSchema.safeParse(SESSION_EVENTS[0]).success).toBe(true);
  });
});

it("[PV1, PV2] accepts its own version and judges others", () => {
  expect([judgeVersion(PROTOCOL_VERSION), judgeVersion(PROTOCOL_VERSION + 1), judgeVersion(0)]).toEqual([
    "ok",
    "peer_too_new",
    "peer_too_old",
  ]);
});
