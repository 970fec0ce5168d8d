/** What is behind the word in the header: the steps of a start, or what a lost link means; the runner's log on demand. */
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { Check, Circle, LoaderCircle } from "lucide-react";
import { useProgress } from "../session/use-session.ts";
import { LogButton } from "./LogButton.tsx";
import { t } from "./late-messages.ts";
import { isStarting } from "./page-state.ts";
import { startSteps, type StepLine } from "./start-steps.ts";

const MARKS = { done: Check, now: LoaderCircle, next: Circle } as const;
const LOOKS = { done: "icon mt-0.5 text-ok", now: "icon mt-0.5 animate-spin text-accent", next: "icon mt-0.5" } as const;

function Step({ line, word }: { line: StepLine; word: string }) {
  const Mark = MARKS[line.mark];
  return (
    <li aria-current={line.mark === "now" ? "step" : undefined} className={line.mark === "next" ? "flex gap-2 text-fg-3" : "flex gap-2"}>
      <Mark aria-hidden className={LOOKS[line.mark]} />
      <span className="min-w-0">
        {word}
        {line.detail !== "" && <span className="block font-mono text-label break-words text-fg-3">{line.detail}</span>}
      </span>
    </li>
  );
}

export default function HostDetails({ state, seen }: { state: SessionState; seen: ReadonlySet<string> }) {
  const progress = useProgress();
  const { host, hostKind } = state;
  return (
    <div className="w-64">
      {isStarting(host.state) ? (
        <ol className="space-y-1.5 text-ui">
          {startSteps(progress, seen, host.state !== "starting").map((line) => (
            <Step key={line.step} line={line} word={line.step === "starting" ? t.host.startOf[hostKind] : t.host.step[line.step]} />
          ))}
        </ol>
      ) : (
        <p className="text-ui text-fg-2">{host.state === "degraded" ? t.host.degradedBody : t.host.lostBody}</p>
      )}
      {host.hostName !== "" && <p className="mt-2 text-label text-fg-3">{t.host.on(host.hostName)}</p>}
      <div className="mt-2">
        <LogButton />
      </div>
    </div>
  );
}
