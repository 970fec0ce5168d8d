/** Running code. */
import type { Json, Operation } from "./operation.ts";

const executed = {
  id: `exe_${"0".repeat(26)}`,
  object: "code.execution",
  session_id: `ses_${"0".repeat(26)}`,
  status: "completed",
  exit_code: 0,
  signal: null,
  stdout: "42\n",
  stderr: "",
  omitted_bytes: 0,
  duration_ms: 31,
  files_changed: [],
  problem: null,
};
const event = (name: string, data: Json) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const STREAM = event("stdout", { text: "42\n" }) + event("execution.ended", executed);

export const EXECUTE_OPERATIONS: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/code/execute",
    id: "executeCode",
    tag: "Execution",
    summary: "Run code or a command",
    description:
      "In a session's workspace, or without `session_id` in a fresh sandbox that is gone afterwards. A program that fails is a 200 that says so.",
    scopes: ["execute"],
    body: { schema: "ExecuteRequest", example: { language: "python", code: "print(6 * 7)" } },
    isIdempotent: true,
    answers: [
      {
        status: 200,
        description: "How it ended.",
        schema: "Execution",
        example: executed,
        stream: { description: "`stdout` and `stderr` as they come; last `execution.ended` with the execution.", example: STREAM },
      },
    ],
    errors: [
      "bad_request",
      "too_large",
      "not_found",
      "conflict",
      "sandbox_off",
      "no_machine",
      "execution_needs_host",
      "executions_full",
      "execution_language_missing",
      "execution_files_refused",
      "needs_signed_command",
      "token_budget_reached",
      "session_deleted",
    ],
  },
];
