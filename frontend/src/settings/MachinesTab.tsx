import type { MachineBody } from "@ai-dev-platform/protocol/http";
import { RemoveMachine } from "../connect/RemoveMachine.tsx";
import { formatCount } from "../ui/format.ts";
import { StateDot } from "../ui/state-dot.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { Loaded } from "./Loaded.tsx";
import { t } from "./messages.ts";
import { useMachines } from "./use-settings.ts";

export function MachinesTab() {
  const machines = useMachines();
  return (
    <div>
      <p className="mb-3 text-fg-2">{t.machines.about}</p>
      <Loaded query={machines}>
        {(list) =>
          list.length === 0 ? (
            <p className="rounded-card border border-line px-4 py-3 text-fg-3">{t.machines.none}</p>
          ) : (
            <ul className="divide-y divide-line rounded-card border border-line">
              {list.map((machine) => (
                <MachineRow key={machine.machineId} machine={machine} />
              ))}
            </ul>
          )
        }
      </Loaded>
      <p className="mt-4 mb-1 text-fg-2">{t.machines.how}</p>
      {t.machines.commands(location.origin).map((command) => (
        <code key={command} className="mb-1 block w-fit rounded-chip bg-sunken px-2 py-0.5 font-mono text-mono">
          {command}
        </code>
      ))}
    </div>
  );
}

function MachineRow({ machine }: { machine: MachineBody }) {
  const notes = [
    machine.isOperator ? t.machines.operator : null,
    machine.platform,
    t.machines.version(machine.agentVersion),
    machine.allowsPaths ? t.machines.paths : null,
  ].filter((note) => note !== null && note !== "");
  return (
    <li className="flex items-start gap-3 px-4 py-2.5">
      <span className="flex h-[19px] items-center">
        <StateDot state={machine.isOnline ? "done" : "offline"} label="" />
      </span>
      <div className="min-w-0 flex-1">
        <p className="font-medium">{machine.name}</p>
        <p className="text-label text-fg-3">{notes.join(" · ")}</p>
      </div>
      <p className="text-right text-label text-fg-2">
        {machine.isOnline ? (
          <>
            {t.machines.online}
            <span className="block text-fg-3">{t.machines.running(formatCount(machine.running), formatCount(machine.capacity))}</span>
          </>
        ) : (
          <>
            {t.machines.offline} <RelativeTime at={machine.lastSeenAt} inWords />
          </>
        )}
      </p>
      {!machine.isOperator && <RemoveMachine machine={machine} />}
    </li>
  );
}
