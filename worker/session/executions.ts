/** Programs that run in the workspace for a program outside (SPEC EX). */
import type { Execution } from "@ai-dev-platform/protocol/api/execute";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author } from "@ai-dev-platform/protocol/events";
import type { ApiExecution, RpcOutcome } from "./api.ts";
import type { SessionParts } from "./parts.ts";

const UNAVAILABLE = { ok: false, code: "unavailable" } as const;

export const startExecution = (
  _parts: SessionParts,
  _execution: ApiExecution,
): { ok: true; seq: number } | { ok: false; code: ErrorCode; detail?: string } => UNAVAILABLE;
export const stopExecution = (_parts: SessionParts, _executionId: string, _author: Author): RpcOutcome => UNAVAILABLE;
export const executionResult = (_parts: SessionParts, _executionId: string): Execution | null => null;
