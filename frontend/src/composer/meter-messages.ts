/** Words of the meter's details. */
const hours = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

export const t = {
  meter: {
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
} as const;
