/**
 * Frames that wait for a reply. Every one carries an id and the same id gets the same answer, so a request that was under way
 * when the connection broke is sent again on the next one. After `REQUEST_DEADLINE_MS` it is given up.
 */
import type { ReadEntry } from "@ai-dev-platform/protocol/events";
import type { QueryResult } from "@ai-dev-platform/protocol/queries";
import type { ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import { LOCAL_ERRORS, type LocalErrorCode } from "../api/local-errors.ts";

export const REQUEST_DEADLINE_MS = 20_000;

/** The code and words of the session, or of this browser where no answer came. */
export interface ActionError {
  code: string;
  message: string;
  /** The particular of a refusal; it stands in `message`, too. */
  detail?: string | undefined;
}

export const actionError = (code: LocalErrorCode): ActionError => ({ code, message: LOCAL_ERRORS[code].message });

export type Answer = { type: "reply"; result: QueryResult | undefined } | { type: "history"; entries: ReadEntry[]; reachedStart: boolean };
export type RequestFrame = Extract<ViewerFrame, { requestId: string }>;

interface Pending {
  frame: RequestFrame;
  resolve(answer: Answer): void;
  reject(error: ActionError): void;
  deadline: ReturnType<typeof setTimeout>;
}

export interface Requests {
  ask(frame: RequestFrame): Promise<Answer>;
  answered(requestId: string, answer: Answer): void;
  refused(requestId: string, error: ActionError): void;
  /** A new connection: what still waits is sent again. */
  resend(): void;
  failAll(error: ActionError): void;
}

export function createRequests(send: (frame: RequestFrame) => boolean): Requests {
  const pending = new Map<string, Pending>();
  const take = (requestId: string): Pending | undefined => {
    const waiting = pending.get(requestId);
    pending.delete(requestId);
    clearTimeout(waiting?.deadline);
    return waiting;
  };
  return {
    ask: (frame) =>
      new Promise((resolve, reject) => {
        const deadline = setTimeout(() => take(frame.requestId)?.reject(actionError("unavailable")), REQUEST_DEADLINE_MS);
        pending.set(frame.requestId, { frame, resolve, reject, deadline });
        send(frame);
      }),
    answered: (requestId, answer) => take(requestId)?.resolve(answer),
    refused: (requestId, error) => take(requestId)?.reject(error),
    resend: () => {
      for (const { frame } of pending.values()) send(frame);
    },
    failAll: (error) => {
      for (const requestId of pending.keys()) take(requestId)?.reject(error);
    },
  };
}
