/** Words of what programs had run; they load with the first such row. */
import type { ExecutionLanguage, ExecutionStatus } from "@ai-dev-platform/protocol/execution-words";
import { counted } from "./messages.ts";

export const t = {
  command: "Command",
  running: "running",
  stop: "Stop the command",
  stopping: "Stopping…",
  languages: {
    bash: "Bash",
    python: "Python",
    javascript: "JavaScript",
    typescript: "TypeScript",
    ruby: "Ruby",
    go: "Go",
  } satisfies Record<ExecutionLanguage, string>,
  by: (who: string) => `Run by ${who}`,
  earlier: "Output from before this screen was open shows when it ends.",
  stderr: "Errors",
  exit: (code: number) => `exit ${code}`,
  statuses: {
    completed: "done",
    failed: "failed",
    timed_out: "timed out",
    stopped: "stopped",
    lost: "lost",
  } satisfies Record<ExecutionStatus, string>,
  lost: "Its host was lost while it ran. It may have done its work, or a part of it.",
  timedOut: "It ran longer than it was allowed to, and was stopped.",
  files: (count: number) => counted(count, "file changed", "files changed"),
  omitted: (bytes: string) => `${bytes} left out`,
} as const;
