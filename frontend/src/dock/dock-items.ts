/**
 * What the attention dock shows, and in which order. Pure.
 * Approvals come first, oldest first, from every thread; then what keeps the session from going on: budget, hours, key, host;
 * last what informs: interrupted turns, blocked hosts.
 * Owns no text and no answers already given on this screen; those are passed in as ids to leave out.
 */
import type { Problem } from "@ai-dev-platform/protocol/events";
import type { BlockedHost, OpenApproval, SessionState } from "@ai-dev-platform/protocol/state";
import { openTurns } from "../session/threads.ts";

const KEY_CODES: ReadonlySet<string> = new Set(["key_missing", "key_invalid", "key_no_credit", "keys_locked", "demo_off"]);
/** What a person's own machine does not do, or cannot: the turn ended for it, and there is a next step. */
const MACHINE_CODES: ReadonlySet<string> = new Set(["command_refused", "login_missing", "login_elsewhere", "mode_refused"]);
/** The caps have cards of their own, with what to do about them. */
const CAP_CODES: ReadonlySet<string> = new Set(["budget_reached", "time_cap_reached"]);
/** A host blocked this long before the last turn's end is taken for what that turn ran into. */
const BLOCK_NEAR_END_MS = 10 * 60_000;

export type DockItem =
  | { kind: "approval"; id: string; open: OpenApproval }
  | { kind: "budget"; id: string; spentUsd: number; budgetUsd: number }
  | { kind: "hours"; id: string; maxHours: number; usedHours: number }
  | { kind: "key" | "refused"; id: string; problem: Problem }
  | { kind: "host_waiting"; id: string; hostName: string; problem: Problem | null }
  | { kind: "host_failed"; id: string; hostName: string; problem: Problem | null }
  | { kind: "host_lost"; id: string; hostName: string; problem: Problem | null }
  | { kind: "interrupted"; id: string; thread: string; turnId: string; problem: Problem | null }
  | { kind: "blocked"; id: string; hosts: readonly BlockedHost[] };

const DISMISSIBLE: ReadonlySet<DockItem["kind"]> = new Set(["key", "refused", "host_lost", "interrupted", "blocked"]);

/** Kinds that a person may put away: they inform, and nothing waits for them. */
export const isDismissible = (item: DockItem): boolean => DISMISSIBLE.has(item.kind);

export function dockItems(state: SessionState, hiddenIds: ReadonlySet<string>): DockItem[] {
  const approvals = state.approvals
    .toSorted((a, b) => a.seq - b.seq)
    .map((open): DockItem => ({ kind: "approval", id: open.request.approvalId, open }));
  return [...approvals, ...blockers(state), ...blockedHosts(state)].filter((item) => !hiddenIds.has(item.id));
}

function blockers(state: SessionState): DockItem[] {
  const items: DockItem[] = [];
  const { budgetUsd, maxHours } = state;
  if (state.budgetReached) items.push({ kind: "budget", id: `budget:${budgetUsd}`, spentUsd: state.usage.costUsd, budgetUsd });
  if (state.timeCapReached) items.push({ kind: "hours", id: `hours:${maxHours}`, maxHours, usedHours: state.hostSeconds / 3_600 });
  const key = keyProblem(state);
  if (key !== null) items.push(key);
  const host = hostProblem(state);
  if (host !== null) items.push(host);
  return host === null ? [...items, ...interruptions(state)] : items;
}

const kindOf = (code: string): "key" | "refused" | null => (KEY_CODES.has(code) ? "key" : MACHINE_CODES.has(code) ? "refused" : null);

function keyProblem(state: SessionState): DockItem | null {
  if (openTurns(state).length > 0) return null;
  for (const { lastTurn } of state.threads) {
    const { problem, turnId } = lastTurn ?? {};
    const kind = problem && kindOf(problem.code);
    if (kind) return { kind, id: `${kind}:${turnId}`, problem };
  }
  const { problem, since } = state.host;
  return problem && KEY_CODES.has(problem.code) ? { kind: "key", id: `key:host:${since}`, problem } : null;
}

function hostProblem(state: SessionState): DockItem | null {
  const { state: hostState, hostName, problem, since } = state.host;
  if (problem && (KEY_CODES.has(problem.code) || CAP_CODES.has(problem.code))) return null;
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

const interruptions = (state: SessionState): DockItem[] =>
  state.threads.flatMap(({ thread, turn, lastTurn }): DockItem[] => {
    if (turn !== null || lastTurn?.outcome !== "interrupted") return [];
    const { turnId, problem } = lastTurn;
    return [{ kind: "interrupted", id: `interrupted:${turnId}`, thread, turnId, problem }];
  });

/** Hosts that the network setting stopped in the turns that are open, or in the last one. A new host makes a new notice. */
function blockedHosts(state: SessionState): DockItem[] {
  const turns = openTurns(state);
  const endedAt = Math.max(0, ...state.threads.map(({ lastTurn }) => lastTurn?.endedAt ?? 0));
  const since = turns.length > 0 ? Math.min(...turns.map(({ startedAt }) => startedAt)) : endedAt - BLOCK_NEAR_END_MS;
  const hosts = turns.length > 0 || endedAt > 0 ? state.blockedHosts.filter(({ at }) => at >= since) : [];
  if (hosts.length === 0) return [];
  const names = hosts.map(({ host }) => host).toSorted();
  return [{ kind: "blocked", id: `blocked:${names.join(" ")}`, hosts }];
}
