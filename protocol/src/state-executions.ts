/** Programs that run in the workspace for a program outside, as a screen shows them (SPEC EX1). Pure. */
import type { Author, SessionEvent } from "./events.ts";
import type { ExecutionLanguage } from "./execution-words.ts";

export interface RunningExecution {
  executionId: string;
  /** The beginning of the code or command. */
  what: string;
  /** Null: a command, or files alone. */
  language: ExecutionLanguage | null;
  author: Author;
  startedAt: number;
}

type ExecutionEvent = Extract<SessionEvent, { type: "execution_started" | "execution_ended" }>;

export function runningAfter(running: readonly RunningExecution[], event: ExecutionEvent, at: number): RunningExecution[] {
  const others = running.filter(({ executionId }) => executionId !== event.executionId);
  if (event.type === "execution_ended") return others;
  const { executionId, what, language, author } = event;
  return [...others, { executionId, what, language, author, startedAt: at }];
}
