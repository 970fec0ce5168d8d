/** Words about where the session runs. They load with what shows them. */
export const t = {
  away: (name: string, since: string) => `${name} is offline since ${since}. Prompts wait until it is back.`,
  answerDirectly: "Answer directly",
  answerDirectlyHint: "The model answers without the computer; it reads the last saved state and changes nothing.",
  going: "Going…",
  direct: {
    nothing: "No sandbox or machine is available.",
    cannotTouch: "You are talking to the model directly; it cannot touch files.",
    reads: "You are talking to the model directly; it reads the last saved state and cannot change files.",
    back: (name: string) => (name === "" ? "The sandbox is available again." : `${name} is back.`),
    there: (name: string) => (name === "" ? "A sandbox is available." : `${name} is connected.`),
    goBack: "Go on there",
    goOn: (name: string) => (name === "" ? "Go on in a sandbox" : `Go on on ${name}`),
    afterTurn: "It moves when the answer has ended.",
  },
  chip: {
    direct: "Model alone",
    label: "Where it runs",
    anyMachine: "A connected computer",
    agent: (version: string) => `Agent ${version}`,
    outdated: "older than this platform",
    running: (running: string, capacity: string) => `${running} of ${capacity} sessions running`,
    own: "Your own computer: it does only what a browser that it knows has signed.",
    lent: "Lent by the operator of this platform.",
    all: "All machines",
  },
  signed: {
    noKey: "Your machine does only what a browser that it knows has signed, and this browser has no key yet.",
    setUp: "Set up this browser",
    others: "This session runs on its owner’s own computer, which takes your prompts only if its owner allowed that.",
  },
} as const;
