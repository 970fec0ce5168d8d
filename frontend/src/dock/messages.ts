/** Words of the attention dock. */
const FIXED_ACTIONS: Record<string, string> = {
  Bash: "run a command",
  BashOutput: "read a command's output",
  KillShell: "stop a command",
  Edit: "edit a file",
  MultiEdit: "edit a file",
  Write: "write a file",
  NotebookEdit: "edit a notebook",
  Read: "read a file",
  Glob: "look for files",
  Grep: "search in files",
  WebFetch: "open a website",
  WebSearch: "search the web",
  Task: "start a sub-agent",
  Agent: "start a sub-agent",
};

/** What a tool does, as a person would say it after "Claude wants to". */
function actionOf(tool: string): string {
  const fixed = FIXED_ACTIONS[tool];
  if (fixed !== undefined) return fixed;
  const mcp = /^mcp__(.+?)__(.+)$/.exec(tool);
  return mcp === null ? `use ${tool}` : `use ${mcp[2]} of ${mcp[1]}`;
}

export const t = {
  region: "Needs your answer",
  stack: (position: number, count: number) => `${position} of ${count}`,
  previous: "Previous request",
  next: "Next request",
  from: (thread: string) => `in ${thread}`,
  asked: (age: string) => (age === "now" ? "Asked just now" : `Asked ${age} ago`),
  expires: (left: string) => `denied by itself in ${left}`,
  readOnly: "Waiting for someone who may answer.",
  working: "Sending…",
  details: "Details",
  dismiss: "Put away",
  back: "Back",
  permission: {
    title: (tool: string) => `Claude wants to ${actionOf(tool)}`,
    allowOnce: "Allow once",
    allowSession: (rule: string) => `Allow “${rule}” in this session`,
    deny: "Deny…",
    denyNow: "Deny",
    denyField: "Tell Claude what to do instead (optional)",
    subject: "What exactly",
    input: "All of the input",
  },
  question: {
    title: (count: number) => (count === 1 ? "Claude has a question" : `Claude has ${count} questions`),
    other: "Other…",
    otherField: "Your answer",
    send: "Answer",
    skip: "Skip",
  },
  plan: {
    title: "Here is the plan",
    content: "Plan",
    approve: "Approve",
    approveEdits: "Approve and accept edits",
    keep: "Keep planning…",
    keepNow: "Keep planning",
    keepField: "Tell Claude what to change (optional)",
  },
  outcome: {
    allow_once: "Allowed by you",
    allow_session: "Allowed in this session by you",
    deny: "Denied by you",
    answers: "Answered by you",
    approve_plan: "Plan approved by you",
    keep_planning: "Sent back by you",
  },
} as const;
