/**
 * Agents that share one session's workspace (SPEC TH). A thread is started once, by name; what it does is logged under
 * that name. Owns `agent_sessions`: which conversation of the agent's own each thread resumes.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author } from "@ai-dev-platform/protocol/events";
import { MAX_THREADS } from "@ai-dev-platform/protocol/limits";
import type { ThreadInfo } from "@ai-dev-platform/protocol/runner";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type { SessionParts } from "./parts.ts";

export type ThreadOutcome = { ok: true } | { ok: false; code: ErrorCode; detail?: string };

/** The same name with the same title again is the same thread; with another title it is a conflict. */
export function startThread(parts: SessionParts, thread: string, title: string, author: Author): ThreadOutcome {
  const { ledger, link } = parts;
  return ledger.transact(() => {
    const verdict = judgeStart(ledger.state, thread, title);
    if (verdict !== "new") return verdict === "known" ? { ok: true } : { ok: false, code: verdict };
    ledger.append({ event: { type: "thread_started", thread, title, author }, thread });
    ledger.afterCommit(() => void link.send({ type: "threads", threads: threadInfos(ledger.state) }));
    return { ok: true };
  });
}

function judgeStart(state: SessionState, thread: string, title: string): "new" | "known" | ErrorCode {
  const known = state.threads.find((one) => one.thread === thread);
  if (known !== undefined) return known.title === title ? "known" : "conflict";
  if (state.lifecycle !== "multi-agent") return "not_multi_agent";
  return state.threads.length >= MAX_THREADS ? "threads_full" : "new";
}

export const threadInfos = (state: SessionState): ThreadInfo[] => state.threads.map(({ thread, title, mode }) => ({ thread, title, mode }));

/** For a runner's welcome: the agents there may be, and the conversation that each goes on with. */
export function threadConfig(sql: SqlStorage, state: SessionState) {
  const rows = sql.exec<{ thread: string; agent_session_id: string }>(`SELECT thread, agent_session_id FROM agent_sessions`).toArray();
  const agentSessionIds = Object.fromEntries(rows.map((row) => [row.thread, row.agent_session_id]));
  const isShared = state.lifecycle === "multi-agent" || state.threads.length > 1;
  return {
    agentSessionId: agentSessionIds["main"] ?? null,
    agentSessionIds,
    ...(isShared ? { threads: threadInfos(state) } : {}),
  };
}

/** A runner's word on its agents' conversations. A thread that the session does not know is not remembered. */
export function rememberConversations(sql: SqlStorage, state: SessionState, ids: Readonly<Record<string, string>>): void {
  for (const { thread } of state.threads) {
    if (!Object.hasOwn(ids, thread)) continue;
    sql.exec(
      `INSERT INTO agent_sessions (thread, agent_session_id) VALUES (?1, ?2) ON CONFLICT (thread) DO UPDATE SET agent_session_id = ?2`,
      thread,
      ids[thread],
    );
  }
}
