/** Settings, Machines: the computers of a person and those lent to everybody, the browsers that may command them, one more. */
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import { Loaded } from "../settings/Loaded.tsx";
import { useMachines } from "../settings/use-settings.ts";
import { AddMachine } from "./AddMachine.tsx";
import { Browsers } from "./Browsers.tsx";
import { MachineCard } from "./MachineCard.tsx";
import { t } from "./messages.ts";

export function MachinesTab() {
  const machines = useMachines();
  return (
    <div className="flex flex-col gap-5">
      <p className="text-fg-2">{t.about}</p>
      <Loaded query={machines}>
        {(list) => (
          <>
            {list.length === 0 && <p className="rounded-card border border-line px-4 py-3 text-fg-3">{t.none}</p>}
            <Group title={t.own} list={list.filter(({ isOperator }) => !isOperator)} />
            <Group title={t.lent} list={list.filter(({ isOperator }) => isOperator)} />
            <AddMachine machines={list} />
          </>
        )}
      </Loaded>
      <Browsers />
    </div>
  );
}

function Group({ title, list }: { title: string; list: readonly MachineBody[] }) {
  if (list.length === 0) return null;
  return (
    <section aria-label={title}>
      <h3 className="mb-1 text-label font-medium text-fg-3">{title}</h3>
      <ul className="divide-y divide-line rounded-card border border-line">
        {list.map((machine) => (
          <MachineCard key={machine.machineId} machine={machine} />
        ))}
      </ul>
    </section>
  );
}
