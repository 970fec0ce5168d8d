/** Whether a model call may be made, and what it cost (SPEC MO1–MO3, TU5). */
import type { ModelCallOutcome, ModelCallRequest, ModelCallVerdict, VouchedModelCallRequest } from "./api.ts";
import type { OpenTurn } from "./flow.ts";
import { holdCall, isTokenSpent, noteTrouble, settleCall, spending } from "./metering.ts";
import { modelSourceNow } from "./model-source.ts";
import type { SessionParts } from "./parts.ts";
import { hashToken } from "./tokens.ts";

export async function authorizeModelCall(parts: SessionParts, request: ModelCallRequest): Promise<ModelCallVerdict> {
  const modelHash = await hashToken(request.modelToken);
  return parts.ledger.transact(() => judge(parts, parts.link.incarnationOfModelToken(modelHash), request));
}

/** A sandbox's call: the platform vouches for its incarnation (SPEC MO4). */
export function authorizeSandboxModelCall(parts: SessionParts, request: VouchedModelCallRequest): ModelCallVerdict {
  const incarnation = parts.link.isCurrent(request.incarnation) ? request.incarnation : null;
  return parts.ledger.transact(() => judge(parts, incarnation, request));
}

type Call = Pick<ModelCallRequest, "estimateUsd" | "thread">;

function judge(parts: SessionParts, incarnation: number | null, { estimateUsd, thread = null }: Call): ModelCallVerdict {
  const { sql, conductor, ledger, ports, newId } = parts;
  const init = parts.init();
  const turn = turnOfCall(conductor.flow.turns, thread);
  // A turn that is being stopped spends no more.
  if (init === null || incarnation === null || typeof turn?.stopAskedAt === "number") return { ok: false, code: "model_token_refused" };
  // An agent with its owner's own login has no business here.
  if (modelSourceNow(ledger.state) === "login") return { ok: false, code: "model_token_refused" };
  const turnId = turn?.turnId ?? null;
  const now = ports.clock.now();
  const { spentUsd, heldUsd } = spending(sql, now);
  const { budgetUsd, budgetReached } = ledger.state;
  if (spentUsd + heldUsd >= budgetUsd) {
    if (turnId !== null) noteTrouble(sql, turnId, "budget_reached");
    if (!budgetReached) ledger.append({ event: { type: "budget_reached", spentUsd, budgetUsd }, turnId });
    return { ok: false, code: "budget_reached" };
  }
  if (turnId !== null && isTokenSpent(sql, turnId)) {
    noteTrouble(sql, turnId, "token_budget_reached");
    return { ok: false, code: "token_budget_reached" };
  }
  const callId = newId("request");
  holdCall(sql, { callId, incarnation, turnId, estimateUsd }, now);
  return { ok: true, callId, ownerId: init.ownerId, modelSource: modelSourceNow(ledger.state) };
}

/** The agents share one identity and name their thread; a call that names none belongs to the only turn there is. */
function turnOfCall(turns: readonly OpenTurn[], thread: string | null): OpenTurn | null {
  if (thread !== null) return turns.find((open) => open.thread === thread) ?? null;
  const [first = null, ...others] = turns;
  const isClear = others.length === 0 || turns.every(({ stopAskedAt }) => stopAskedAt !== null);
  return isClear ? first : null;
}

export function settleModelCall(parts: SessionParts, outcome: ModelCallOutcome): void {
  const { ledger, sql, viewers, notices } = parts;
  ledger.transact(() => {
    const settled = settleCall(sql, outcome);
    if (settled === null) return;
    const { spentUsd, turnCostUsd, lateTurnId } = settled;
    if (lateTurnId !== null) notices.noteLateCost(outcome.callId, lateTurnId, outcome.usage.costUsd);
    ledger.afterCommit(() => viewers.broadcast({ type: "meter", costUsd: spentUsd, turnCostUsd }));
  });
}
