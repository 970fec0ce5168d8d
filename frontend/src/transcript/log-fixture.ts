/** Logs for tests: short words for entries, and a whole conversation with everything in it. */
import type { ReadEntry, SessionEvent } from "@ai-dev-platform/protocol/events";

export const id = (prefix: string, name: string): string => `${prefix}_${name.padEnd(26, "0")}`;
export const MARA = { userId: "usr_mara", name: "Mara" };
const USAGE = { inputTokens: 10, outputTokens: 20, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0.01 };
export const START = 1_790_000_000_000;

/** Numbers events from 1; a turn's events carry its id. */
export function logOf(events: readonly SessionEvent[]): ReadEntry[] {
  let turnId: string | null = null;
  return events.map((event, index) => {
    if (event.type === "turn_started") turnId = event.turnId;
    const entry = { seq: index + 1, at: START + index * 1_000, thread: "main", turnId, event };
    if (event.type === "turn_ended") turnId = null;
    return entry;
  });
}

export const created: SessionEvent = {
  type: "session_created",
  title: "Fix reconnect race",
  projectId: id("prj", "1"),
  projectName: "relay",
  lifecycle: "hydrated",
  modelSource: "key",
  mode: "default",
  model: "default",
  budgetUsd: 5,
};
export const queued = (name: string, text: string, delivery: "queue" | "steer" = "queue"): SessionEvent => ({
  type: "prompt_queued",
  promptId: id("prm", name),
  text,
  delivery,
  author: MARA,
});
export const started = (turn: string, prompt: string): SessionEvent => ({
  type: "turn_started",
  turnId: id("trn", turn),
  promptId: id("prm", prompt),
});
export const ended = (turn: string, outcome: "completed" | "failed" | "stopped" | "interrupted" = "completed"): SessionEvent => ({
  type: "turn_ended",
  turnId: id("trn", turn),
  outcome,
  durationMs: 252_000,
  usage: USAGE,
});
export const text = (block: string, words: string, parentToolId?: string): SessionEvent => ({
  type: "text_written",
  block,
  text: words,
  ...(parentToolId === undefined ? {} : { parentToolId }),
});
export const toolStarted = (toolId: string, tool: string, input: Record<string, unknown>, parentToolId?: string): SessionEvent => ({
  type: "tool_started",
  toolId,
  tool,
  input,
  ...(parentToolId === undefined ? {} : { parentToolId }),
});
export const toolEnded = (toolId: string, ok = true, output = "", patch?: { path: string; patch: string }): SessionEvent => ({
  type: "tool_ended",
  toolId,
  ok,
  output,
  omittedChars: 0,
  durationMs: 200,
  ...patch,
});

export const PATCH = `--- a/src/session/replay.ts
+++ b/src/session/replay.ts
@@ -41,4 +41,5 @@
 async attach(ws: WebSocket, since: number) {
-  this.clients.add(ws);
-  await this.replay(ws, since);
+  const head = await this.replay(ws, since);
+  this.clients.add(ws);
+  await this.replay(ws, head); // close the gap
 }
`;

/** Two turns, the second one still open. */
export const conversation: readonly SessionEvent[] = [
  created,
  queued("a", "The client sometimes misses events after the phone wakes up. Find out why and fix it, with a test."),
  started("1", "a"),
  text("m1:0", "The socket is added to `clients` **before** the replay finishes."),
  toolStarted("t1", "Read", { file_path: "/home/x/workspace/src/session/replay.ts" }),
  toolEnded("t1"),
  toolStarted("t2", "Edit", { file_path: "/home/x/workspace/src/session/replay.ts" }),
  toolEnded("t2", true, "ok", { path: "src/session/replay.ts", patch: PATCH }),
  toolStarted("t3", "Bash", { command: "npm test" }),
  toolEnded("t3", false, "1 failed"),
  toolStarted("t4", "Task", { description: "Look for other races" }),
  toolStarted("t5", "Grep", { pattern: "clients.add" }, "t4"),
  toolEnded("t5", true, "src/a.ts"),
  text("m2:0", "Found one.", "t4"),
  toolEnded("t4", true, "One more place."),
  {
    type: "approval_requested",
    request: { kind: "permission", approvalId: id("apr", "1"), tool: "Bash", toolId: "t6", subject: "git push", reason: "", input: {} },
  },
  { type: "approval_answered", approvalId: id("apr", "1"), answer: { decision: "allow_once" }, author: MARA },
  text("m3:0", "Done."),
  ended("1"),
  { type: "snapshot_saved", snapshotId: id("snp", "1"), throughSeq: 19, treeFiles: 10, storedBytes: 1_000, leftOut: [] },
  queued("b", "Now push the branch."),
  started("2", "b"),
  toolStarted("t7", "Bash", { command: "git push" }),
];
