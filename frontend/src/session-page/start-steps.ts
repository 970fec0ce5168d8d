/** The steps of a runner's start as a list with marks. Pure. */

export const START_STEPS = ["starting", "cloning", "restoring", "agent"] as const;
/** Goes on beside the others, and may end after them. */
const BESIDE = "dependencies";
export type StartStep = (typeof START_STEPS)[number] | typeof BESIDE;

export interface StepLine {
  step: StartStep;
  mark: "done" | "now" | "next";
  detail: string;
}

const isStartStep = (step: string): step is (typeof START_STEPS)[number] => START_STEPS.some((known) => known === step);

/**
 * A start either fetches the project or, on waking, restores a snapshot: the other one is named only when it was reported.
 * `seen` holds the steps reported so far.
 */
export function startSteps(current: { step: string; detail: string } | null, seen: ReadonlySet<string>, isWaking = false): StepLine[] {
  const unlikely: StartStep = isWaking ? "cloning" : "restoring";
  const beside: StepLine[] = current?.step === BESIDE ? [{ step: BESIDE, mark: "now", detail: current.detail }] : [];
  const at =
    beside.length > 0
      ? START_STEPS.indexOf("agent")
      : current !== null && isStartStep(current.step)
        ? START_STEPS.indexOf(current.step)
        : 0;
  const lines = START_STEPS.flatMap((step, index): StepLine[] => {
    if (index === at) return [{ step, mark: "now", detail: beside.length > 0 ? "" : (current?.detail ?? "") }];
    if (index > at) return step === unlikely ? [] : [{ step, mark: "next", detail: "" }];
    const isOptional = step === "cloning" || step === "restoring";
    return isOptional && !seen.has(step) ? [] : [{ step, mark: "done", detail: "" }];
  });
  return [...lines, ...beside];
}
