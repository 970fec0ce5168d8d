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
  findAsleep: "Files can be looked up once the session has started.",
  finding: "Looking…",
  meter: "Context and cost",
  done: { saved: "Saving…", renamed: "Renamed" },
} as const;
