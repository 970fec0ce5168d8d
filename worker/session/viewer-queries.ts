/**
 * Questions about the workspace (SPEC QU1, SN10, RO4): relayed to the runner, answered from the log or a saved state where
 * that suffices, and refused when nobody is there to answer. A question never starts a runner. A mere viewer of a share sees what changed,
 * not every file: a workspace holds more than was meant to be shown.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import { RUNNER_LOG_LINES } from "@ai-dev-platform/protocol/limits";
import { may, type Ability, type Role } from "@ai-dev-platform/protocol/roles";
import type { Query } from "@ai-dev-platform/protocol/queries";
import type { ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import type { SessionParts } from "./parts.ts";
import { readTimeline } from "./timeline.ts";
import type { ViewerMark } from "./viewer-mark.ts";

const NEEDS: Record<Query["kind"], Ability> = {
  changes: "read",
  patch: "read",
  mcp: "read",
  tree: "propose",
  file: "propose",
  find: "propose",
  runner_log: "propose",
  timeline: "read",
  snapshot_changes: "read",
  snapshot_patch: "read",
};

const ASLEEP_DETAIL = "The session is asleep. Send a prompt or start it to look at files.";
const DIRECT_DETAIL = "The model is talked to directly: there are no files to save here.";
const STARTING_DETAIL = "The session is starting. Ask again in a moment.";

export function askRunner(
  parts: SessionParts,
  ws: WebSocket,
  mark: ViewerMark,
  role: Role,
  frame: Extract<ViewerFrame, { type: "query" }>,
): void {
  const { viewers, link, conductor } = parts;
  const { requestId, query } = frame;
  if (!may(role, NEEDS[query.kind])) return viewers.refuse(ws, requestId, "forbidden");
  if (query.kind === "runner_log") return answerLog(parts, ws, requestId);
  if (query.kind === "timeline") return viewers.send(ws, { type: "reply", requestId, result: readTimeline(parts.sql, query.beforeSeq) });
  if (query.kind === "snapshot_changes" || query.kind === "snapshot_patch") return parts.saved.differences(ws, requestId, role, query);
  const { state } = conductor.flow.runner;
  // A direct runner has no files: what is saved is all there is.
  const isServing = (state === "ready" || state === "retiring") && link.socket() !== null && parts.ledger.state.hostKind !== "direct";
  if (!isServing) return answerAsleep(parts, ws, requestId, query);
  if (may(role, "drive")) conductor.touch();
  const ourId = parts.newId("request");
  if (!viewers.noteQuery(ws, mark, ourId, requestId)) return viewers.refuse(ws, requestId, "rate_limited");
  link.send({ type: "query", requestId: ourId, query });
}

function answerAsleep(parts: SessionParts, ws: WebSocket, requestId: string, query: Query): void {
  const { viewers, ledger, conductor } = parts;
  const { changes, mcpServers } = ledger.state;
  if (query.kind === "changes") return viewers.send(ws, { type: "reply", requestId, result: { kind: "changes", ...changes } });
  if (query.kind === "mcp") return viewers.send(ws, { type: "reply", requestId, result: { kind: "mcp", servers: mcpServers } });
  const isLook = query.kind === "tree" || query.kind === "file" || query.kind === "find";
  if (isLook && parts.saved.lookAsleep(ws, requestId, query)) return;
  if (query.kind === "patch" && parts.saved.patchAsleep(ws, requestId, query.path)) return;
  const { state } = conductor.flow.runner;
  const isComing = state === "starting" || state === "restoring" || state === "away";
  viewers.refuse(ws, requestId, "unavailable", isComing ? STARTING_DETAIL : ASLEEP_DETAIL);
}

/** What the session heard, then what the host kept. A host that does not answer leaves the session's own lines. */
function answerLog({ ctx, init, ports, runnerLog, viewers }: SessionParts, ws: WebSocket, requestId: string): void {
  const answer = (hostLines: readonly string[]) => {
    const lines = [...hostLines, ...runnerLog.lines()].slice(-RUNNER_LOG_LINES);
    viewers.send(ws, { type: "reply", requestId, result: { kind: "runner_log", lines } });
  };
  const sessionId = init()?.sessionId;
  if (sessionId === undefined || ports.host.log === undefined) return answer([]);
  const asked = ports.host.log(sessionId).then(answer, (error: unknown) => {
    ports.log.warn("host_log_unread", { sessionId, reason: String(error) });
    answer([]);
  });
  ctx.waitUntil(asked);
}

/** A person asks for a save now. What comes of it is an event. */
export function requestSave(parts: SessionParts, requestId: string): { ok: true } | { ok: false; code: ErrorCode; detail: string } {
  const { sql, link, ledger } = parts;
  if (ledger.state.hostKind === "direct") return { ok: false, code: "unavailable", detail: DIRECT_DETAIL };
  if (link.socket() === null) return { ok: false, code: "unavailable", detail: ASLEEP_DETAIL };
  sql.exec(`UPDATE session SET is_save_asked = 1`);
  ledger.afterCommit(() => void link.send({ type: "save", requestId, asked: true }));
  return { ok: true };
}
