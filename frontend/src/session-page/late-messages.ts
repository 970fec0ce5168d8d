/** Words of the session screen that load with what shows them: dialogs, the host's details, the agents' tabs. */
import { formatUsd } from "../ui/format.ts";

export const t = {
  budget: {
    title: "Lifecycle and limits",
    description: (spentUsd: number) => `${formatUsd(spentUsd)} of model calls so far. They stop when the budget is used up.`,
    field: "Budget in US dollars",
    invalid: "Enter an amount between 0 and 10,000.",
    hours: "Sandbox hours in all",
    hoursInvalid: "Enter hours between 0.25 and 72.",
    save: "Save",
    cancel: "Cancel",
  },
  log: {
    show: "Show log",
    title: "Log of the runner",
    description: "What the program beside Claude wrote last.",
    loading: "Loading…",
    empty: "Nothing was written yet.",
    close: "Close",
  },
  lifecycle: { cost: (usd: string) => `${usd} of sandbox` },
  remove: {
    title: "Delete session?",
    body: "The conversation, its saved files and its share links are removed for good.",
    stays: "Commits that were pushed stay, and so does a folder of your own machine that was opened in place.",
    lost: (count: string, isOne: boolean) =>
      isOne ? `${count} changed file that was not pushed is lost.` : `${count} changed files that were not pushed are lost.`,
    confirm: (count: number) =>
      count === 0 ? "Delete the session" : `Delete ${count === 1 ? "1 file" : `${count} files`} and the session`,
    cancel: "Keep it",
    done: "Session deleted",
  },
  threads: {
    region: "Agents",
    start: "New agent",
    stopAll: "Stop all",
    dialogTitle: "Start another agent",
    dialogBody: "It works in the same files at the same time, with a conversation of its own.",
    becomes: "The session becomes multi-agent. The budget is shared.",
    field: "What it is for",
    fieldHint: "A few words, for example: Write the docs.",
    empty: "Say in a few words what it is for.",
    confirm: "Start",
    cancel: "Cancel",
    full: (count: number) => `A session has at most ${count} agents.`,
  },
  saved: {
    safe: "Files and conversation are safe up to here.",
    noneLong: "Files and conversation are saved after the first turn that changes something.",
    ago: (age: string) => (age === "now" ? "Just now." : `${age} ago.`),
    size: (files: string, bytes: string) => `${files} files, ${bytes} stored.`,
    leftOut: (count: number) => (count === 1 ? "1 thing was left out:" : `${count} things were left out:`),
    reason: {
      dependencies: "dependencies",
      cache: "cache",
      too_large: "too large",
      special_file: "special file",
      unreadable: "not readable",
    },
    problemLong: "The last save did not go through. The one before is kept.",
    now: "Save now",
    saving: "Saving…",
  },
  dependencies: {
    coming: "Dependencies are coming back. You can go on meanwhile.",
    comingWith: (detail: string) => `Dependencies are coming back (${detail}). You can go on meanwhile.`,
  },
  keep: {
    text: "Files go when this session ends.",
    gone: "The files of this session went when it ended,",
    again: "A prompt starts again from the project.",
    action: "Keep files",
    done: "Files are kept: the session is saved and sleeps when idle",
  },
  ended: {
    revoked: { title: "Your access to this session has ended", body: "The link was revoked or has expired. Ask the person who shared it." },
    deleted: { title: "This session was deleted", body: "Its conversation and saved files are gone." },
    incompatible: { title: "This tab is too old to continue", body: "Reload it to go on. Nothing you typed is lost." },
    not_found: { title: "Not found, or you have no access", body: "Check the address, or ask the person who sent it to you." },
    reload: "Reload",
    toSessions: "Go to sessions",
  },
  host: {
    degradedBody:
      "The program beside Claude does not answer. It may come back by itself; if not, the turn is ended and nothing saved is lost.",
    lostBody: "It did not come back. What was saved is safe; send a prompt to go on.",
    startOf: { sandbox: "Start the sandbox", machine: "Start on the machine" },
    step: {
      cloning: "Fetch the project",
      restoring: "Restore the saved files",
      agent: "Start Claude",
      saving: "Save",
      dependencies: "Bring the dependencies back",
    },
    on: (name: string) => `On ${name}`,
  },
} as const;
