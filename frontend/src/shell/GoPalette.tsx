/** ⌘K outside a session: go to a session, a project or a page. A session's own page brings a palette that also acts on it. */
import { Command } from "cmdk";
import { Search } from "lucide-react";
import { Dialog } from "radix-ui";
import { useLocation } from "wouter";
import { useProjects } from "../projects/use-projects.ts";
import { paths, SETTINGS_TABS } from "../routes.ts";
import { dotOf } from "../sessions/session-list.ts";
import { useSessions } from "../sessions/use-sessions.ts";
import { t as settingsMessages } from "../settings/messages.ts";
import { StateDot } from "../ui/state-dot.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { t } from "./messages.ts";
import { shell } from "./shell-state.ts";

const ITEM =
  "flex min-h-9 cursor-default items-center gap-2.5 rounded-control px-2.5 text-ui select-none data-[selected=true]:bg-hover pointer-coarse:min-h-11";
const GROUP =
  "[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-meta [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-fg-3";

export default function GoPalette() {
  const [, navigate] = useLocation();
  const { data: sessions = [] } = useSessions();
  const { data: projects = [] } = useProjects();
  const go = (path: string) => {
    shell.setOverlay(null);
    navigate(path);
  };
  const pages = [
    { label: t.allSessions, path: paths.sessions },
    { label: t.newSession, path: paths.newSession() },
    { label: t.archived, path: paths.archived },
    ...SETTINGS_TABS.map((tab) => ({ label: `${t.settings}: ${settingsMessages.tabs[tab]}`, path: paths.settings(tab) })),
    ...projects.map(({ projectId, name }) => ({ label: t.project(name), path: paths.project(projectId) })),
  ];
  return (
    <Dialog.Root open onOpenChange={() => shell.setOverlay(null)}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-x-2 top-2 z-50 mx-auto max-w-[600px] overflow-hidden rounded-dock border border-line bg-raised text-fg shadow-overlay outline-none md:top-[14vh]"
        >
          <Dialog.Title className="sr-only">{t.palette}</Dialog.Title>
          <Command label={t.palette} loop>
            <div className="flex items-center gap-2.5 border-b border-line px-3.5">
              <Search aria-hidden className="icon text-fg-3" />
              <Command.Input placeholder={t.palettePlaceholder} className="field h-11 min-w-0 flex-1 bg-transparent outline-none" />
            </div>
            <Command.List className="max-h-[min(60dvh,420px)] overflow-y-auto overscroll-contain p-1">
              <Command.Empty className="px-2.5 py-6 text-center text-ui text-fg-3">{t.paletteEmpty}</Command.Empty>
              <Command.Group heading={t.sessions} className={GROUP}>
                {sessions.map((session) => (
                  <Command.Item
                    key={session.sessionId}
                    value={session.sessionId}
                    keywords={[session.title, session.projectName]}
                    onSelect={() => go(paths.session(session.sessionId))}
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
              </Command.Group>
              <Command.Group heading={t.goTo} className={GROUP}>
                {pages.map(({ label, path }) => (
                  <Command.Item key={path} value={path} keywords={[label]} onSelect={() => go(path)} className={ITEM}>
                    <span className="min-w-0 flex-1 truncate">{label}</span>
                  </Command.Item>
                ))}
              </Command.Group>
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
