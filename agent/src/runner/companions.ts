/**
 * What agents in one workspace are told of one another: the rules of sharing once, and at each prompt who else works and
 * which files they changed. Pure. An agent never sees another's conversation.
 */
export interface Companion {
  title: string;
  isWorking: boolean;
  /** Paths that it changed since the runner started, newest last. */
  files: readonly string[];
}

/** Files named of one agent: enough to keep out of each other's way. */
const MAX_FILES = 12;

/** Part of an agent's instructions from its start. */
export const sharingRules = (title: string): string =>
  `You are one of several agents that work in this workspace at the same time, each in a conversation of its own. Yours is called ${JSON.stringify(title)}.
The others see your changes to files as soon as you make them, and you see theirs; nobody sees another's conversation.
A file may have changed since you read it: read it again right before you edit it. Keep to your own task and do not undo changes that you did not make. Do not do to the whole workspace what disturbs the others: no git stash, reset, checkout or switch of branches, and no stopping of programs that you did not start.`;

/** Goes with each prompt; null when nobody else is there. */
export function newsOfOthers(others: readonly Companion[]): string | null {
  if (others.length === 0) return null;
  return `Other agents share this workspace. ${others.map(lineOf).join(" ")} Read a file again before you edit it.`;
}

function lineOf({ title, isWorking, files }: Companion): string {
  const name = JSON.stringify(title);
  const state = isWorking ? "is working now" : "is not working now";
  if (files.length === 0) return `${name} ${state} and has changed no files.`;
  const more = files.length - MAX_FILES;
  return `${name} ${state} and has changed ${files.slice(-MAX_FILES).join(", ")}${more > 0 ? ` and ${more} more` : ""}.`;
}

/** Adds a path as the newest. */
export const withFile = (files: readonly string[], path: string): readonly string[] => [...files.filter((file) => file !== path), path];
