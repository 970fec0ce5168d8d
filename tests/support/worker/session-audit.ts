/** Judges a session's whole log by the rules alone, knowing nothing of how it was made. Returns what is wrong. */
import type { ApprovalPolicy } from "@ai-dev-platform/protocol/api/access";
import type { ReadEntry } from "@ai-dev-platform/protocol/events";

export function auditLog(entries: readonly ReadEntry[]): string[] {
  const wrong: string[] = [];
  const openTurns = new Map<string, string>();
  const seenTurns = new Set<string>();
  const queued = new Set<string>();
  const gone = new Set<string>();
  const openApprovals = new Map<string, string | null>();
  let lastSeq = 0;
  const leave = (promptId: string, how: string) => {
    if (!queued.has(promptId)) wrong.push(`[PR2] ${promptId} ${how} without waiting`);
    if (gone.has(promptId)) wrong.push(`[PR2] ${promptId} ${how} twice`);
    gone.add(promptId);
  };
  for (const { seq, event, thread, turnId } of entries) {
    if (seq !== lastSeq + 1) wrong.push(`[EV1] ${seq} follows ${lastSeq}`);
    lastSeq = seq;
    if (turnId !== null && openTurns.has(turnId) && openTurns.get(turnId) !== thread)
      wrong.push(`[TH6] ${seq} is not under its turn's thread`);
    switch (event.type) {
      case "prompt_queued":
        if (queued.has(event.promptId)) wrong.push(`[PR1] ${event.promptId} queued twice`);
        queued.add(event.promptId);
        break;
      case "prompt_withdrawn":
        leave(event.promptId, "withdrawn");
        break;
      case "prompt_delivered":
        leave(event.promptId, "delivered");
        if (!openTurns.has(event.turnId)) wrong.push(`[PR4] ${event.promptId} delivered to a turn that is not open`);
        break;
      case "turn_started":
        leave(event.promptId, "started");
        if ([...openTurns.values()].includes(thread)) wrong.push(`[TU1] ${event.turnId} started in an open turn of ${thread}`);
        if (seenTurns.has(event.turnId)) wrong.push(`[TU2] ${event.turnId} started twice`);
        openTurns.set(event.turnId, thread);
        seenTurns.add(event.turnId);
        break;
      case "turn_ended":
        if (!openTurns.delete(event.turnId)) wrong.push(`[TU2] ${event.turnId} ended without being open`);
        for (const [approvalId, turnId] of openApprovals) if (turnId === event.turnId) openApprovals.delete(approvalId);
        break;
      case "stop_requested":
        if (!openTurns.has(event.turnId)) wrong.push(`[TU3] stop of ${event.turnId}, which is not open`);
        break;
      case "approval_requested":
        openApprovals.set(event.request.approvalId, entries[seq - 1]?.turnId ?? null);
        break;
      case "approval_answered":
      case "approval_expired":
      case "approval_withdrawn":
        if (!openApprovals.delete(event.approvalId)) wrong.push(`[AP2] ${event.approvalId} settled while not open`);
        break;
      default:
    }
  }
  return wrong;
}

/** What the agent asked in turns of programs: answered in the next entry by the prompt's policy, and by no policy in others. */
export function auditPolicies(entries: readonly ReadEntry[], policies: ReadonlyMap<string, ApprovalPolicy>, program: string): string[] {
  const wrong: string[] = [];
  const policyOf = new Map<string, ApprovalPolicy>();
  for (const [index, { seq, event, turnId }] of entries.entries()) {
    if (event.type === "turn_started") policyOf.set(event.turnId, policies.get(event.promptId) ?? "ask");
    if (event.type !== "approval_requested") continue;
    const next = entries[index + 1]?.event;
    const isAnswered = next?.type === "approval_answered" && next.approvalId === event.request.approvalId && next.author.name === program;
    if (isAnswered !== ((policyOf.get(turnId ?? "") ?? "ask") !== "ask")) wrong.push(`[CA4] ${seq} is ${isAnswered ? "" : "not "}answered`);
  }
  return wrong;
}
