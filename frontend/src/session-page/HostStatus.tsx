import type { SessionState } from "@ai-dev-platform/protocol/state";
import { Check, Circle, LoaderCircle, Moon } from "lucide-react";
import { useState } from "react";
import { useProgress } from "../session/use-session.ts";
import { Popover } from "../ui/popover.tsx";
import { Elapsed, RelativeTime } from "../ui/time.tsx";
import { t } from "./messages.ts";
import { startSteps } from "./start-steps.ts";

const MARKS = { done: Check, now: LoaderCircle, next: Circle } as const;

/** Steps reported in this start, so that the list names what really happened. */
function useSeenSteps(incarnation: number, step: string | null): ReadonlySet<string> {
  const [seen, setSeen] = useState<{ incarnation: number; steps: ReadonlySet<string> }>({ incarnation, steps: new Set() });
  const isNewStart = seen.incarnation !== incarnation;
  if (isNewStart || (step !== null && !seen.steps.has(step))) {
    setSeen({ incarnation, steps: new Set([...(isNewStart ? [] : seen.steps), ...(step === null ? [] : [step])]) });
  }
  return seen.steps;
}

function Starting({ state }: { state: SessionState }) {
  const progress = useProgress();
  const { host } = state;
  const seen = useSeenSteps(host.incarnation, progress?.step ?? null);
  const word = host.state === "restoring" ? t.host.restoring : t.host.starting;
  return (
    <Popover
      label={t.host.steps}
      align="start"
      trigger={
        <button
          type="button"
          className="inline-flex h-7 items-center gap-1.5 rounded-control px-1.5 text-label whitespace-nowrap text-accent hover:bg-hover pointer-coarse:h-11"
        >
          <LoaderCircle aria-hidden className="size-3.5 animate-spin stroke-[1.75]" />
          <span>
            {word} · <Elapsed since={host.since} />
          </span>
        </button>
      }
    >
      <ol className="w-64 space-y-1.5 text-ui">
        {startSteps(progress, seen).map((line) => {
          const Mark = MARKS[line.mark];
          return (
            <li
              key={line.step}
              aria-current={line.mark === "now" ? "step" : undefined}
              className={line.mark === "next" ? "flex gap-2 text-fg-3" : "flex gap-2"}
            >
              <Mark
                aria-hidden
                className={
                  line.mark === "now"
                    ? "icon mt-0.5 animate-spin text-accent"
                    : line.mark === "done"
                      ? "icon mt-0.5 text-ok"
                      : "icon mt-0.5"
                }
              />
              <span className="min-w-0">
                {t.host.step[line.step]}
                {line.detail !== "" && <span className="block font-mono text-label break-words text-fg-3">{line.detail}</span>}
              </span>
            </li>
          );
        })}
      </ol>
      {host.hostName !== "" && <p className="mt-2 text-label text-fg-3">{t.host.on(host.hostName)}</p>}
    </Popover>
  );
}

/** What the place where Claude runs is doing, unless it is simply ready. Problems are the dock's. */
export function HostStatus({ state }: { state: SessionState }) {
  const { host, saved } = state;
  switch (host.state) {
    case "starting":
    case "restoring":
      return <Starting state={state} />;
    case "asleep":
      return (
        <span className="inline-flex items-center gap-1 text-label whitespace-nowrap text-fg-3">
          <Moon aria-hidden className="size-3.5 stroke-[1.75]" />
          {t.host.asleep}
          {saved === null && host.since > 0 && (
            <>
              {" · "}
              <RelativeTime at={host.since} />
            </>
          )}
        </span>
      );
    case "waiting":
      return <span className="text-label whitespace-nowrap text-warn max-md:hidden">{t.host.waiting}</span>;
    default:
      return null;
  }
}
