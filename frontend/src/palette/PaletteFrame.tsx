/** What every palette is made of: the dialog with its search field, groups, lines, and the list of sessions. */
import { Command } from "cmdk";
import { Search } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { dotOf } from "../sessions/session-list.ts";
import { useSessions } from "../sessions/use-sessions.ts";
import { StateDot } from "../ui/state-dot.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { t } from "./messages.ts";

const ITEM =
  "flex min-h-9 cursor-default items-center gap-2.5 rounded-control px-2.5 text-ui select-none data-[selected=true]:bg-hover pointer-coarse:min-h-11";
const GROUP =
  "[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-meta [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-fg-3";

export function PaletteFrame({ placeholder, onClose, children }: { placeholder: string; onClose: () => void; children: ReactNode }) {
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed inset-x-2 top-2 z-50 mx-auto max-w-[600px] overflow-hidden rounded-dock border border-line bg-raised text-fg shadow-overlay outline-none md:top-[14vh]"
        >
          <Radix.Title className="sr-only">{t.title}</Radix.Title>
          <Command label={t.title} loop>
            <div className="flex items-center gap-2.5 border-b border-line px-3.5">
              <Search aria-hidden className="icon text-fg-3" />
              <Command.Input placeholder={placeholder} className="field h-11 min-w-0 flex-1 bg-transparent outline-none" />
            </div>
            <Command.List className="max-h-[min(60dvh,420px)] overflow-y-auto overscroll-contain p-1">
              <Command.Empty className="px-2.5 py-6 text-center text-ui text-fg-3">{t.empty}</Command.Empty>
              {children}
            </Command.List>
          </Command>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export function PaletteGroup({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <Command.Group heading={heading} className={GROUP}>
      {children}
    </Command.Group>
  );
}

export interface PaletteLineProps {
  value: string;
  label: string;
  shortcut?: string | undefined;
  onSelect: () => void;
}

export function PaletteLine({ value, label, shortcut, onSelect }: PaletteLineProps) {
  return (
    <Command.Item value={value} keywords={[label]} onSelect={onSelect} className={ITEM}>
      <span className="min-w-0 flex-1 truncate">{label}</span>
      {shortcut !== undefined && <kbd className="font-sans text-label text-fg-3">{shortcut}</kbd>}
    </Command.Item>
  );
}

export function SessionLines({ onGo }: { onGo: (sessionId: string) => void }) {
  const { data: sessions = [] } = useSessions();
  return (
    <PaletteGroup heading={t.groups.sessions}>
      {sessions.map((session) => (
        <Command.Item
          key={session.sessionId}
          value={session.sessionId}
          keywords={[session.title, session.projectName]}
          onSelect={() => onGo(session.sessionId)}
          className={ITEM}
        >
          <StateDot state={dotOf(session)} label="" />
          <span className="min-w-0 flex-1 truncate">{session.title}</span>
          <span className="max-w-32 truncate text-label text-fg-3">{session.projectName}</span>
          <span className="w-8 text-right text-label text-fg-3">
            <RelativeTime at={session.updatedAt} />
          </span>
        </Command.Item>
      ))}
    </PaletteGroup>
  );
}
