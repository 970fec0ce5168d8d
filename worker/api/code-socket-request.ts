/**
 * One `code_request` of the socket, from its words to its one response (SPEC WS1, WS3). A request whose signal fires ends its turn:
 * nobody is there to hear it. Everything else about it is a message like any other.
 */
import type { CodeAnswerFrame, CodeRequest } from "@ai-dev-platform/protocol/api/socket";
import { MAIN_THREAD, projectIdSchema } from "@ai-dev-platform/protocol/ids";
import { AppError } from "../errors.ts";
import { apiAccount } from "./account.ts";
import type { ApiCaller } from "./caller.ts";
import { createCodeSession } from "./code-create.ts";
import { hostError, idUnder, MessageFollow, readSession, requireMayPrompt, requirePolicy, stopQuietly } from "./code-message.ts";
import { sendMessage } from "./code-send.ts";

type Ask = Extract<CodeRequest, { type: "code_request" }> & {
  id: string;
  /** The client's own, under which it is the same request; undefined: a new one. */
  key: string | undefined;
};

/** `ends`: nobody hears the answer any more. `cancelled`: its turn is stopped, and the answer says so. */
export interface AskSignals {
  ends: AbortSignal;
  cancelled: AbortSignal;
}

export async function* answerCodeRequest(
  env: Env,
  caller: ApiCaller,
  ask: Ask,
  { ends, cancelled }: AskSignals,
): AsyncGenerator<CodeAnswerFrame> {
  const sessionId = await sessionOf(env, caller, ask);
  const messageId = await idUnder("prompt", caller, ask.key, sessionId);
  yield { type: "code_accepted", id: ask.id, session_id: sessionId };
  const message = { sessionId, messageId, text: ask.code, attached: [], files: ask.context?.files ?? {}, approvals: ask.approvals };
  const follow = new MessageFollow(env, caller, await sendMessage(env, caller, message, AbortSignal.any([ends, cancelled])));
  const stop = () => stopQuietly(env, caller, follow);
  cancelled.addEventListener("abort", () => void stop(), { once: true });
  if (cancelled.aborted) void stop();
  try {
    for await (const { pieces } of follow.steps(ends)) {
      for (const piece of pieces) {
        if (piece.type === "text") yield { type: "code_delta", id: ask.id, text: piece.text };
        if (piece.type === "tool")
          yield { type: "code_progress", id: ask.id, tool: piece.tool, subject: piece.subject, state: piece.state };
      }
      if (follow.fold.turnId === null && follow.hostProblem !== null) throw hostError(follow);
    }
    yield responseOf(ask.id, follow);
  } finally {
    if (!follow.fold.isOver) await stop();
  }
}

async function sessionOf(env: Env, caller: ApiCaller, { context, approvals, model, code, key }: Ask): Promise<string> {
  requirePolicy(caller, approvals);
  const { userId, tokenId, budgetUsd } = caller;
  const verdict = await apiAccount(env, userId).admit({ tokenId, budgetUsd, kind: "code", estimateUsd: 0 });
  if (!verdict.ok) throw new AppError(verdict.code, verdict.retryAfterMs > 0 ? { retryAfterMs: verdict.retryAfterMs } : {});
  if (context?.session_id !== undefined) {
    const state = await readSession(env, caller, context.session_id);
    requireMayPrompt(caller, state, MAIN_THREAD, approvals);
    return context.session_id;
  }
  const projectId = context?.project_id;
  if (projectId !== undefined && !projectIdSchema.safeParse(projectId).success) throw new AppError("not_found");
  return createCodeSession(env, caller, { projectId, prompt: code, model, key }, verdict.remainingUsd);
}

function responseOf(id: string, follow: MessageFollow): CodeAnswerFrame {
  const { session_id, content, files_changed, outcome, usage, problem } = follow.view;
  return { type: "code_response", id, session_id, content, files_changed, outcome: outcome ?? "interrupted", usage, problem };
}
