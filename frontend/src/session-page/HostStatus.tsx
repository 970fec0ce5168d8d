import type { SessionState } from "@ai-dev-platform/protocol/state";
import { LoaderCircle, Moon, Unplug } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { useProgress } from "../session/use-session.ts";
import { Popover } from "../ui/popover.tsx";
import { Elapsed, RelativeTime } from "../ui/time.tsx";
import { t } from "./messages.ts";

const HostDetails = lazy(() => import("./HostDetails.tsx"));

/** Steps reported in this start, so that the list names what really happened. */
function useSeenSteps(incarnation: number): ReadonlySet<string> {
  const step = useProgress()?.step ?? null;
  const [seen, setSeen] = useState<{ incarnation: number; steps: ReadonlySet<string> }>({ incarnation, steps: new Set() });
  const isNewStart = seen.incarnation !== incarnation;
  if (isNewStart || (step !== null && !seen.steps.has(step))) {
    setSeen({ incarnation, steps: new Set([...(isNewStart ? [] : seen.steps), ...(step === null ? [] : [step])]) });
  }
  return seen.steps;
}

interface WithDetailsProps {
  state: SessionState;
  icon: ReactNode;
  word: string;
  since: number;
  className: string;
}

function WithDetails({ state, icon, word, since, className }: WithDetailsProps) {
  const seen = useSeenSteps(state.host.incarnation);
  return (
    <Popover
      label={t.host.steps}
      align="start"
      trigger={
        <button
          type="button"
          className={`inline-flex h-7 items-center gap-1.5 rounded-control px-1.5 text-label whitespace-nowrap hover:bg-hover pointer-coarse:h-11 ${className}`}
        >
          {icon}
          <span>
            {word} · <Elapsed since={since} />
          </span>
        </button>
      }
    >
      <Suspense fallback={<div className="h-24 w-64" />}>
        <HostDetails state={state} seen={seen} />
      </Suspense>
    </Popover>
  );
}

/** What the place where Claude runs is doing, unless it is simply ready. What a person should act on is the dock's. */
export function HostStatus({ state }: { state: SessionState }) {
  const { host, saved, hostKind } = state;
  switch (host.state) {
    case "starting":
    case "waking":
    case "restoring":
      return (
        <WithDetails
          state={state}
          word={t.host[host.state]}
          since={host.startedAt ?? host.since}
          className="text-accent"
          icon={<LoaderCircle aria-hidden className="size-3.5 animate-spin stroke-[1.75]" />}
        />
      );
    case "degraded":
    case "lost":
      return (
        <WithDetails
          state={state}
          word={t.host[host.state]}
          since={host.since}
          className={host.state === "lost" ? "text-bad" : "text-warn"}
          icon={<Unplug aria-hidden className="size-3.5 stroke-[1.75]" />}
        />
      );
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
      return <span className="text-label whitespace-nowrap text-warn max-md:hidden">{t.host.waiting[hostKind]}</span>;
    default:
      return null;
  }
}
