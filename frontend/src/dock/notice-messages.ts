/** Words of the dock's notices; they load with their cards. */
import { formatUsd } from "../ui/format.ts";

export const t = {
  budget: {
    title: (budgetUsd: number) => `This session reached ${formatUsd(budgetUsd)}.`,
    body: "No more model calls are made until the budget is raised.",
    add: (usd: number) => `Add ${formatUsd(usd)}`,
    stop: "Stop here",
    askOwner: "Only the owner can raise the budget.",
  },
  hours: {
    title: (hours: number) => `This session used its ${hours} hours of sandbox.`,
    body: "It was saved and stopped. Prompts wait until the cap is raised.",
    most: "It was saved and stopped. A session has no more hours than these; start a new one from the same project.",
    add: (hours: number) => (hours === 1 ? "Add 1 hour" : `Add ${hours} hours`),
    askOwner: "Only the owner can raise the cap.",
  },
  refused: {
    title: "The machine did not do this",
    askOwner: "Only the owner of the session can change that. Ask them.",
  },
  key: { openSettings: "Open API key settings" },
  host: {
    machine: {
      waitingTitle: "Waiting for a machine",
      offlineTitle: (name: string, since: string) => `${name} is offline since ${since}`,
      waitingBody: "The prompt is kept and runs as soon as a machine is free.",
      failedTitle: (name: string) => `${name === "" ? "The machine" : name} could not start the session`,
      lostTitle: (name: string) => `The run on ${name === "" ? "the machine" : name} was lost`,
    },
    direct: {
      waitingTitle: "Waiting for the model",
      waitingBody: "The prompt is kept.",
      failedTitle: () => "The model could not be reached",
      lostTitle: () => "The answer was lost",
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
    answerDirectly: "Answer directly",
    answerDirectlyBody: "Or let the model answer without it, from the last saved state.",
  },
  blocked: {
    title: (host: string) => `${host} was blocked`,
    body: (level: string) => `The session’s network is set to “${level}”.`,
    retry: "Claude was told. Once opens it for a minute; ask Claude to try again.",
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
} as const;
