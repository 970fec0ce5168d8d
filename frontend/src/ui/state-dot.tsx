import { classes } from "./classes.ts";

export type DotState = "needs_you" | "running" | "done" | "idle" | "failed" | "offline";

const LOOKS: Record<DotState, string> = {
  needs_you: "bg-warn",
  running: "animate-breathe bg-accent",
  done: "bg-ok",
  idle: "bg-line-strong",
  failed: "bg-bad",
  offline: "border-[1.5px] border-fg-3",
};

/** State as colour and shape, with its word for screen readers. An empty label: the word stands beside it. */
export function StateDot({ state, label }: { state: DotState; label: string }) {
  const look = classes("inline-block size-2 flex-none rounded-full forced-colors:border forced-colors:border-[CanvasText]", LOOKS[state]);
  if (label === "") return <span aria-hidden className={look} />;
  return (
    <span className="inline-flex items-center">
      <span aria-hidden className={look} />
      <span className="sr-only">{label}</span>
    </span>
  );
}
