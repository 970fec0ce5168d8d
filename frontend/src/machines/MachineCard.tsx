/** One computer: how it is, what it is, what it has open and what runs on it now. */
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import { Folder } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { RemoveMachine } from "../connect/RemoveMachine.tsx";
import { paths } from "../routes.ts";
import { StateDot } from "../ui/state-dot.tsx";
import { useNow } from "../ui/time.tsx";
import { DOTS, isReachable, stateWords } from "./machine-state.ts";
import { CommandLine } from "./CommandLine.tsx";
import { t } from "./messages.ts";
import { useCommands } from "./use-program.ts";

const FOLDERS_SHOWN = 4;

export function MachineCard({ machine }: { machine: MachineBody }) {
  const now = useNow("minute");
  const state = stateWords(machine, now);
  const { update } = useCommands();
  const facts = [machine.platform, t.version(machine.agentVersion), ...(machine.allowsPaths ? [t.paths] : [])];
  return (
    <li className="px-4 py-3">
      <div className="flex items-start gap-3">
        <span className="flex h-[19px] items-center">
          <StateDot state={DOTS[machine.state]} label="" />
        </span>
        <div className="min-w-0 flex-1">
          <p className="flex flex-wrap items-baseline gap-x-2">
            <span className="font-medium [overflow-wrap:anywhere]">{machine.name}</span>
            <span className="tabular text-label text-fg-2">
              {isReachable(machine) ? `${state} · ${t.running(machine.running, machine.capacity)}` : state}
            </span>
          </p>
          <p className="text-label text-fg-3">{facts.filter((fact) => fact !== "").join(" · ")}</p>
        </div>
        {!machine.isOperator && <RemoveMachine machine={machine} />}
      </div>
      <div className="md:pl-5">
        {machine.isOutdated && (
          <div className="mt-2 max-w-lg text-label text-warn">
            <p className="mb-1">{t.outdated}</p>
            <CommandLine command={update} />
          </div>
        )}
        <Folders folders={machine.folders} />
        <Sessions sessions={machine.sessions} />
      </div>
    </li>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="mt-2">
      <p className="text-meta text-fg-3">{title}</p>
      <ul aria-label={title}>{children}</ul>
    </div>
  );
}

function Folders({ folders }: { folders: readonly string[] }) {
  if (folders.length === 0) return null;
  const hidden = folders.length - FOLDERS_SHOWN;
  return (
    <Part title={t.folders}>
      {folders.slice(0, FOLDERS_SHOWN).map((folder) => (
        <li key={folder} className="flex items-center gap-1.5 text-fg-2">
          <Folder aria-hidden className="size-3.5 flex-none stroke-[1.75] text-fg-3" />
          <span className="min-w-0 truncate font-mono text-mono" title={folder}>
            {folder}
          </span>
        </li>
      ))}
      {hidden > 0 && <li className="text-label text-fg-3">{t.moreFolders(hidden)}</li>}
    </Part>
  );
}

function Sessions({ sessions }: { sessions: MachineBody["sessions"] }) {
  if (sessions.length === 0) return null;
  return (
    <Part title={t.sessions}>
      {sessions.map(({ sessionId, title }) => (
        <li key={sessionId} className="min-w-0">
          <Link
            href={paths.session(sessionId)}
            className="inline-block max-w-full truncate py-0.5 text-accent underline underline-offset-2 pointer-coarse:py-2.5"
          >
            {title === "" ? t.untitled : title}
          </Link>
        </li>
      ))}
    </Part>
  );
}
