/** Words of the attention dock. */
import { formatUsd } from "../ui/format.ts";

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
  budget: {
    title: (budgetUsd: number) => `This session reached ${formatUsd(budgetUsd)}.`,
    body: "No more model calls are made until the budget is raised.",
    add: (usd: number) => `Add ${formatUsd(usd)}`,
    stop: "Stop here",
    askOwner: "Only the owner can raise the budget.",
  },
  key: { openSettings: "Open API key settings" },
  hours: {
    title: (hours: number) => `This session used its ${hours} hours of sandbox.`,
    body: "It was saved and stopped. Prompts wait until the cap is raised.",
    most: "It was saved and stopped. A session has no more hours than these; start a new one from the same project.",
    add: (hours: number) => (hours === 1 ? "Add 1 hour" : `Add ${hours} hours`),
    askOwner: "Only the owner can raise the cap.",
  },
  host: {
    machine: {
      waitingTitle: "Waiting for a machine",
      waitingBody: "The prompt is kept and runs as soon as a machine is free.",
      failedTitle: (name: string) => `${name === "" ? "The machine" : name} could not start the session`,
      lostTitle: (name: string) => `The run on ${name === "" ? "the machine" : name} was lost`,
    },
    sandbox: {
      waitingTitle: "Waiting for a sandbox",
      waitingBody: "The prompt is kept and runs as soon as a sandbox can be started.",
      failedTitle: () => "The sandbox could not be started",
      lostTitle: () => "The sandbox was lost",
    },
    failedBody: "Nothing is lost: prompts wait.",
    lostBody: "What was done until then is kept. Send a prompt to go on.",
    savedThrough: (seq: number) => `Files are saved through step ${seq}.`,
    notSaved: "Files of this session were not saved yet.",
    tryAgain: "Try again",
    openMachines: "Machines",
  },
  blocked: {
    title: (host: string) => `${host} was blocked`,
    body: (level: string) => `The session’s network is set to “${level}”.`,
    retry: "Claude was told; after you allow it, ask to try again.",
    askOwner: "The owner can allow it.",
    open: "Network…",
    more: (count: number) => `${count} more…`,
  },
  interrupted: {
    title: "The last turn was interrupted",
    body: "It may have done part of the work. It is not run again by itself.",
    proceed: "Continue",
    runAgain: "Run again",
    prompt: "You were interrupted. Look at what is done already, then continue.",
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
