/** Every string of the transcript. */
import type { AllowScope, HostKind, Lifecycle, Mode, NetworkLevel } from "@ai-dev-platform/protocol/modes";

const plural = new Intl.PluralRules("en");
const counted = (count: number, one: string, many: string) =>
  `${new Intl.NumberFormat().format(count)} ${plural.select(count) === "one" ? one : many}`;

const MODE_NAMES: Record<Mode, string> = {
  default: "Ask first",
  acceptEdits: "Accept edits",
  plan: "Plan",
  bypassPermissions: "Allow everything",
};

const LIFECYCLE_NAMES: Record<Lifecycle, string> = {
  hydrated: "hydrated: sleeps when idle, after a save",
  "long-running": "long-running: stays up between prompts",
  ephemeral: "ephemeral: files go when it ends",
  "multi-agent": "multi-agent: several agents in one workspace",
};
const NETWORK_NAMES: Record<NetworkLevel, string> = {
  none: "closed",
  registries: "package registries",
  custom: "package registries and listed hosts",
  full: "open",
};
const SCOPE_NAMES: Record<AllowScope, string> = { once: "once", session: "for this session", always: "always" };

export const t = {
  log: "Conversation",
  you: "You",
  claude: "Claude",
  session: "Session",
  turn: (prompt: string) => `Turn: ${prompt}`,
  skipToLatest: "Jump to latest",
  working: "Claude is working",
  waitingForYou: "Claude waits for your answer",
  empty: "Nothing here yet. What you ask and what Claude does appears here.",
  loadingOlder: "Loading earlier steps",
  loadOlder: "Show earlier steps",
  start: "Start of the session",
  copy: "Copy",
  copied: "Copied",
  showAllLines: (lines: number) => `Show all ${counted(lines, "line", "lines")}`,
  showFewer: "Show fewer lines",
  omitted: (chars: number) => `${counted(chars, "character", "characters")} left out`,
  prompt: {
    sending: "Sending",
    waiting: "Waiting to start",
    notConfirmed: "Not confirmed",
    refused: "Not sent",
    retry: "Retry",
    discard: "Discard",
    steering: "Added while Claude was working",
    earlier: "This prompt is further up. Show earlier steps to read it.",
    more: "Show all",
    less: "Show less",
  },
  work: {
    folded: (duration: string, steps: number, files: number) =>
      [
        `Worked ${duration}`,
        ...(steps > 0 ? [counted(steps, "step", "steps")] : []),
        ...(files > 0 ? [counted(files, "file", "files")] : []),
      ].join(" · "),
  },
  thinking: { live: "Thinking", done: "Thought" },
  tool: {
    unknown: "Step",
    running: "running",
    ok: "done",
    failed: "failed",
    interrupted: "interrupted",
    noOutput: "No output",
    noDetails: "Nothing more to show",
    inside: (steps: number) => counted(steps, "step", "steps"),
    input: "Input",
    output: "Output",
    open: (verb: string) => `${verb}: details`,
    lines: (added: number, removed: number) => `${counted(added, "line", "lines")} added, ${removed} removed`,
  },
  approval: {
    open: "Waiting for your answer",
    openFor: (what: string) => `Waiting for permission: ${what}`,
    plan: "a plan",
    question: (count: number) => counted(count, "question", "questions"),
    allowed: (who: string) => `Allowed by ${who}`,
    allowedHere: (who: string) => `Allowed in this session by ${who}`,
    denied: (who: string) => `Denied by ${who}`,
    answered: (who: string) => `Answered by ${who}`,
    approved: (who: string) => `Plan approved by ${who}`,
    approvedWithEdits: (who: string) => `Plan approved by ${who}, edits accepted`,
    keptPlanning: (who: string) => `${who} asked to keep planning`,
    expired: "Not answered in time, so it was denied",
    withdrawn: "No longer needed",
    youLower: "you",
  },
  status: {
    stopped: (duration: string) => `Stopped after ${duration}. Nothing was undone.`,
    interrupted: "Interrupted. What was done until then is kept; send a prompt to go on.",
    failed: "Claude stopped with an error. Send a prompt to go on.",
    retrying: (attempt: number, max: number, delay: string, status: number | null) =>
      `The model did not answer${status === null ? "" : ` (${status})`}. Try ${attempt} of ${max} in ${delay}`,
    mode: (mode: Mode, byAgent: boolean) => (byAgent ? `Claude switched to ${MODE_NAMES[mode]}` : `Mode: ${MODE_NAMES[mode]}`),
    model: (model: string) => `Model: ${model}`,
    budgetSet: (amount: string) => `Budget: ${amount}`,
    budgetReached: (amount: string) => `This session reached its budget of ${amount}.`,
    lifecycle: (lifecycle: Lifecycle) => `The session is now ${LIFECYCLE_NAMES[lifecycle]}.`,
    network: (level: NetworkLevel) => `Network: ${NETWORK_NAMES[level]}`,
    blocked: (host: string) => `${host} was blocked by the network setting.`,
    allowed: (host: string, scope: AllowScope, who: string) => `${who} allowed ${host} ${SCOPE_NAMES[scope]}.`,
    hoursSet: (hours: number) => `Sandbox hours: ${hours} in all`,
    hoursReached: (hours: number) => `This session used its ${hours} hours of sandbox. It was saved and stopped.`,
    threadStarted: (who: string, title: string) => `${who} started another agent: ${title}`,
    forked: (title: string, step: string) => `Forked from “${title}” at step ${step}: files and memory are as they were there.`,
    rewound: (name: string, step: string, isFilesOnly: boolean) =>
      isFilesOnly
        ? `${name} went back to step ${step} with the files alone. Claude still remembers what came since, and the timeline keeps it.`
        : `${name} went back to step ${step}: files and conversation are as they were then. What came after is kept on the timeline.`,
    moved: (name: string, to: HostKind) =>
      to === "direct"
        ? `${name} set the session to talk to the model alone.`
        : `${name} moved the session to a ${to}. It goes on there from what was saved.`,
    moveFailed: "The session was not moved. Nothing is lost.",
    filesDropped: "The run ended, and its files went with it.",
    hostLost: (host: string) => `${host || "The sandbox"} was lost. Unsaved work of the last moments may be gone.`,
    hostFailed: (host: string) => `${host || "The sandbox"} could not start Claude.`,
    hostRestored: (host: string) => `${host || "The sandbox"} is back. Files and conversation were restored.`,
    saveFailed: "Saving failed. The last saved state is unchanged.",
    compacted: (tokens: string) => `The conversation was compacted from ${tokens} tokens.`,
    unsupported: (type: string) => `This version cannot show a step of type “${type}”.`,
    details: "Details",
  },
  diff: {
    label: (path: string) => `Changes in ${path}`,
    added: "added",
    removed: "removed",
    empty: "No text changes.",
    binary: "Binary file changed.",
    unreadable: "This patch cannot be shown line by line.",
    showAll: (lines: number) => `Show all ${counted(lines, "line", "lines")}`,
    hunk: "Lines left out",
    oldLine: "Old line",
    newLine: "New line",
  },
  code: { plain: "text" },
} as const;
