/** Where the session runs, in the header: the computer's name and how it is, or that there is none. */
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { MessageCircle } from "lucide-react";
import { Link } from "wouter";
import { HOST_WORDS } from "../hosting/messages.ts";
import { DOTS, isReachable, stateWords } from "../machines/machine-state.ts";
import { paths } from "../routes.ts";
import { formatCount } from "../ui/format.ts";
import { Popover } from "../ui/popover.tsx";
import { StateDot } from "../ui/state-dot.tsx";
import { useNow } from "../ui/time.tsx";
import { machineOf } from "./place-facts.ts";
import { t } from "./place-messages.ts";
import { usePlaceAround } from "./use-place-around.ts";

const CHIP =
  "inline-flex h-7 min-w-0 items-center gap-1.5 rounded-control px-1.5 text-label whitespace-nowrap text-fg-2 hover:bg-hover hover:text-fg data-[state=open]:bg-hover";

export function MachineChip({ state }: { state: SessionState }) {
  const { machines, isOwner } = usePlaceAround();
  const now = useNow("minute");
  if (state.hostKind === "direct") {
    return (
      <Popover
        label={t.chip.label}
        align="start"
        trigger={
          <button type="button" className={CHIP}>
            <MessageCircle aria-hidden className="size-3.5 stroke-[1.75] text-accent" />
            {t.chip.direct}
          </button>
        }
      >
        <p className="w-64 px-2 py-1.5 text-label text-fg-2">{HOST_WORDS.direct.description}</p>
      </Popover>
    );
  }
  const machine = machineOf(state, machines);
  if (machine === null) return null;
  const words = stateWords(machine, now);
  return (
    <Popover
      label={t.chip.label}
      align="start"
      trigger={
        <button type="button" className={CHIP}>
          <StateDot state={DOTS[machine.state]} label="" />
          <span className="max-w-40 truncate">{machine.name}</span>
          <span className={isReachable(machine) ? "sr-only" : undefined}>· {words}</span>
        </button>
      }
    >
      <MachineFacts machine={machine} words={words} isOwner={isOwner} />
    </Popover>
  );
}

function MachineFacts({ machine, words, isOwner }: { machine: MachineBody; words: string; isOwner: boolean }) {
  const version = [t.chip.agent(machine.agentVersion), ...(machine.isOutdated ? [t.chip.outdated] : [])].join(", ");
  return (
    <div className="flex w-64 flex-col gap-1 px-2 py-1.5 text-label text-fg-2">
      <p className="text-ui font-medium text-fg">{machine.name}</p>
      <p>{isReachable(machine) ? `${words} · ${t.chip.running(formatCount(machine.running), formatCount(machine.capacity))}` : words}</p>
      <p className="text-fg-3">{[machine.platform, version].filter((part) => part !== "").join(" · ")}</p>
      <p className="text-fg-3">{machine.isOperator ? t.chip.lent : t.chip.own}</p>
      {isOwner && (
        <Link href={paths.settings("machines")} className="w-fit py-1 font-medium text-accent underline underline-offset-2">
          {t.chip.all}
        </Link>
      )}
    </div>
  );
}
