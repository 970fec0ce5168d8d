/** The steps of a runner's start as a list with marks. Pure. */

export const START_STEPS = ["starting", "cloning", "restoring", "agent"] as const;
export type StartStep = (typeof START_STEPS)[number];

export interface StepLine {
  step: StartStep;
  mark: "done" | "now" | "next";
  detail: string;
}

const isStartStep = (step: string): step is StartStep => START_STEPS.some((known) => known === step);

/**
 * A start either fetches the project or restores a snapshot, so the one that is not seen is left out once it is passed.
 * `seen` holds the steps reported so far.
 */
export function startSteps(current: { step: string; detail: string } | null, seen: ReadonlySet<string>): StepLine[] {
  const at = current !== null && isStartStep(current.step) ? START_STEPS.indexOf(current.step) : 0;
  return START_STEPS.flatMap((step, index): StepLine[] => {
    if (index === at) return [{ step, mark: "now", detail: current?.detail ?? "" }];
    if (index > at) return [{ step, mark: "next", detail: "" }];
    const isOptional = step === "cloning" || step === "restoring";
    return isOptional && !seen.has(step) ? [] : [{ step, mark: "done", detail: "" }];
  });
}
