/**
 * What the attention dock shows, and in which order. Pure.
 * Approvals come first, oldest first, from every thread; then what keeps the session from going on: budget, key, host.
 * Owns no text and no answers already given on this screen; those are passed in as ids to leave out.
 */
import type { Problem } from "@ai-dev-platform/protocol/events";
import type { OpenApproval, SessionState } from "@ai-dev-platform/protocol/state";

const KEY_CODES: ReadonlySet<string> = new Set(["key_missing", "key_invalid", "key_no_credit", "keys_locked", "demo_off"]);

export type DockItem =
  | { kind: "approval"; id: string; open: OpenApproval }
  | { kind: "budget"; id: string; spentUsd: number; budgetUsd: number }
  | { kind: "key"; id: string; problem: Problem }
  | { kind: "host_waiting"; id: string; hostName: string; problem: Problem | null }
  | { kind: "host_failed"; id: string; hostName: string; problem: Problem | null }
  | { kind: "host_lost"; id: string; hostName: string; problem: Problem | null }
  | { kind: "interrupted"; id: string; problem: Problem | null };

/** Kinds that a person may put away: they inform, and nothing waits for them. */
export const isDismissible = (item: DockItem): boolean => item.kind === "key" || item.kind === "host_lost" || item.kind === "interrupted";

export function dockItems(state: SessionState, hiddenIds: ReadonlySet<string>): DockItem[] {
  const approvals = state.approvals
    .toSorted((a, b) => a.seq - b.seq)
    .map((open): DockItem => ({ kind: "approval", id: open.request.approvalId, open }));
  return [...approvals, ...blockers(state)].filter((item) => !hiddenIds.has(item.id));
}

function blockers(state: SessionState): DockItem[] {
  const items: DockItem[] = [];
  if (state.budgetReached) {
    items.push({ kind: "budget", id: `budget:${state.budgetUsd}`, spentUsd: state.usage.costUsd, budgetUsd: state.budgetUsd });
  }
  const key = keyProblem(state);
  if (key !== null) items.push(key);
  const host = hostProblem(state);
  if (host !== null) items.push(host);
  const interrupted = interruption(state);
  if (interrupted !== null && host === null) items.push(interrupted);
  return items;
}

function keyProblem(state: SessionState): DockItem | null {
  if (state.turn !== null) return null;
  const last = state.lastTurn;
  if (last?.problem && KEY_CODES.has(last.problem.code)) return { kind: "key", id: `key:${last.turnId}`, problem: last.problem };
  const { problem, since } = state.host;
  if (problem && KEY_CODES.has(problem.code)) return { kind: "key", id: `key:host:${since}`, problem };
  return null;
}

function hostProblem(state: SessionState): DockItem | null {
  const { state: hostState, hostName, problem, since } = state.host;
  if (problem && KEY_CODES.has(problem.code)) return null;
  const id = `host:${hostState}:${since}`;
  switch (hostState) {
    case "waiting":
      return { kind: "host_waiting", id, hostName, problem };
    case "failed":
      return { kind: "host_failed", id, hostName, problem };
    case "lost":
      return { kind: "host_lost", id, hostName, problem };
    default:
      return null;
  }
}

function interruption(state: SessionState): DockItem | null {
  const last = state.lastTurn;
  if (state.turn !== null || last === null || last.outcome !== "interrupted") return null;
  return { kind: "interrupted", id: `interrupted:${last.turnId}`, problem: last.problem };
}
