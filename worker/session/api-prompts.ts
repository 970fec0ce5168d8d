/** What programs ask of a session (SPEC CA): the same use cases as a viewer's, by typed calls. */
import type { ApprovalAnswer } from "@ai-dev-platform/protocol/approvals";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author } from "@ai-dev-platform/protocol/events";
import type { ApiPrompt, PromptProgress, RpcOutcome } from "./api.ts";
import type { SessionParts } from "./parts.ts";

const UNAVAILABLE = { ok: false, code: "unavailable" } as const;

export const submitApiPrompt = (_parts: SessionParts, _prompt: ApiPrompt): { ok: true; seq: number } | { ok: false; code: ErrorCode } =>
  UNAVAILABLE;
export const promptProgress = (_parts: SessionParts, _promptId: string): PromptProgress | null => null;
export const stopPrompt = (_parts: SessionParts, _promptId: string, _author: Author): RpcOutcome => UNAVAILABLE;
export const answerForProgram = (_parts: SessionParts, _approvalId: string, _answer: ApprovalAnswer, _author: Author): RpcOutcome =>
  UNAVAILABLE;
