/** Words of the composer. */
import type { Mode } from "@ai-dev-platform/protocol/modes";
import type { SlashCommand } from "./slash.ts";

export const MODE_WORDS: Record<Mode, { label: string; description: string }> = {
  default: { label: "Ask first", description: "Claude asks before it edits files or runs commands" },
  acceptEdits: { label: "Accept edits", description: "File edits go through, commands still ask" },
  plan: { label: "Plan", description: "Claude reads and plans, and changes nothing" },
  bypassPermissions: { label: "Never ask", description: "Everything goes through without a question" },
};

export const OWN_COMMANDS: readonly SlashCommand[] = [
  { name: "mode", description: "Change when Claude asks", argumentHint: "<mode>", group: "ours" },
  { name: "model", description: "Change the model", argumentHint: "<model>", group: "ours" },
  { name: "rename", description: "Rename the session", argumentHint: "<title>", group: "ours" },
  { name: "save", description: "Save files and conversation now", argumentHint: "", group: "ours" },
  { name: "share", description: "Share the session by a link", argumentHint: "", group: "ours" },
];

const hours = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

export const t = {
  field: "Prompt",
  placeholder: "Ask Claude to change something. / for commands, @ for files",
  placeholderRunning: "Add a follow-up. Sent after this step",
  send: "Send",
  sendSteer: "Send after this step",
  queue: "Queue",
  queueLong: "Queue as the next turn",
  stop: "Stop",
  stopping: "Stopping…",
  stillStopping: "Still stopping",
  tooLong: "Too long. Put longer material in a file of the project.",
  mode: "Mode",
  model: "Model",
  defaultModel: "Default model",
  modelUnknown: "The list of models appears once Claude has started.",
  demo: "demo model, scripted answers",
  readOnly: {
    viewer: "You can view this session.",
    commenter: "You can view this session.",
    approver: "You can view this session and answer its requests.",
  },
  askOwner: "Ask the owner for access to send prompts.",
  suggestions: "Suggestions",
  groups: { ours: "This platform", agent: "Claude Code", argument: "Choose", files: "Files" },
  noFiles: "No file matches.",
  findAsleep: "Files can be looked up while the session is awake.",
  finding: "Looking…",
  waiting: {
    region: "Waiting prompts",
    idle: "Waiting",
    steer: "After this step",
    queue: "Next turn",
    edit: "Edit prompt",
    save: "Save",
    cancel: "Cancel",
    up: "Move earlier",
    down: "Move later",
    withdraw: "Withdraw prompt",
    more: "Change the waiting prompt",
    editField: "Text of the waiting prompt",
  },
  outbox: {
    sending: "Sending",
    waiting: "Sent when you’re back",
    not_confirmed: "Not confirmed",
    refused: "Not sent",
    retry: "Retry",
    discard: "Discard",
  },
  meter: {
    open: "Context and cost",
    context: "Context",
    contextOf: (used: string, max: string) => `${used} of ${max} tokens`,
    contextUnknown: "Not measured yet",
    input: "Input",
    output: "Output",
    cacheRead: "Read from cache",
    cacheWrite: "Written to cache",
    thisTurn: "This turn",
    session: "Session",
    model: "Model calls",
    budget: "Budget for model calls",
    hours: "Sandbox",
    hoursOf: (used: number, max: number) => `${hours.format(used)} of ${hours.format(max)} h`,
    sandbox: "Sandbox cost",
    all: "Session, in all",
    sandboxNote: "The sandbox’s are written down every ten minutes.",
    tokens: (count: string) => `${count} tokens`,
    note: "List prices, as metered for finished turns.",
  },
  done: { saved: "Saving…", renamed: "Renamed" },
} as const;
