/** What the gate says to the runner: the order as it may be carried out, and what the session is told. */
import type { OutboxBody, RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import type { Problem, TurnOutcome } from "@ai-dev-platform/protocol/events";
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import type { Mode } from "@ai-dev-platform/protocol/modes";

/** Of one turn that is not run, or of something that people should know. `thread` null: the main one. */
export type GateReport =
  | { thread: string; turnId: string; outcome: TurnOutcome; problem: Problem }
  | { thread: string | null; turnId: string | null; notice: string; isRefusal: boolean }
  /** Of a program that is not run. */
  | { executionId: string; problem: Problem }
  /** The mode that counts: what is shown is what is. */
  | { thread: string; turnId: null; mode: Mode };

export interface Admitted {
  /** Null: nothing is done. */
  order: RunnerOrderFrame | null;
  reports: GateReport[];
}

export type AuditCommand = (
  kind: "command_taken" | "command_refused",
  fields: Readonly<Record<string, string | number | boolean | null>>,
) => void;

export function reportItem(report: GateReport): { thread: string; turnId: string | null; body: OutboxBody } {
  if ("executionId" in report) return { thread: MAIN_THREAD, turnId: null, body: refusedExecution(report) };
  const { turnId } = report;
  if ("mode" in report) return { thread: report.thread, turnId, body: { type: "agent_mode_changed", mode: report.mode } };
  if ("notice" in report) {
    const code = report.isRefusal ? { code: "command_refused" } : {};
    return { thread: report.thread ?? MAIN_THREAD, turnId, body: { type: "notice", level: "warning", text: report.notice, ...code } };
  }
  const { thread, outcome, problem } = report;
  return { thread, turnId, body: { type: "turn_report", turnId: report.turnId, outcome, problem, agentSessionId: null } };
}

const refusedExecution = ({ executionId, problem }: { executionId: string; problem: Problem }): OutboxBody => ({
  type: "execution_report",
  executionId,
  status: "failed",
  exitCode: null,
  signal: null,
  durationMs: 0,
  stdout: "",
  stderr: "",
  omittedBytes: 0,
  filesChanged: [],
  problem,
});
