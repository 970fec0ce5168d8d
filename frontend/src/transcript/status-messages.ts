/** Words of the lines about the session itself; they load with the first such line. */
import type { AllowScope, HostKind, Lifecycle, Mode, NetworkLevel } from "@ai-dev-platform/protocol/modes";

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
} as const;
