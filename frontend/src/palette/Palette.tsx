/** ⌘K: go to a session or a page, or do something with this one. Loaded when it is first opened. */
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { Command } from "cmdk";
import { Search } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { useLocation } from "wouter";
import { isMac } from "../keyboard/platform.ts";
import { shownFor } from "../keyboard/shortcuts.ts";
import { paths } from "../routes.ts";
import { showFailure } from "../session-page/failure.ts";
import type { SessionCommands } from "../session-page/use-session-commands.ts";
import { useActions, useViewer } from "../session/use-session.ts";
import { dotOf } from "../sessions/session-list.ts";
import { useSessions } from "../sessions/use-sessions.ts";
import { StateDot } from "../ui/state-dot.tsx";
import { RelativeTime } from "../ui/time.tsx";
import { t } from "./messages.ts";
import { paletteItems, type PaletteAction, type PaletteItem } from "./palette-items.ts";

const GROUPS: readonly PaletteItem["group"][] = ["session", "go", "mode", "model"];
const ITEM =
  "flex min-h-9 cursor-default items-center gap-2.5 rounded-control px-2.5 text-ui select-none data-[selected=true]:bg-hover pointer-coarse:min-h-11";
const GROUP =
  "[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-meta [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-fg-3";

export interface PaletteProps {
  state: SessionState;
  commands: SessionCommands;
  isShared: boolean;
  onClose: () => void;
}

function useRun(commands: SessionCommands, onClose: () => void): (action: PaletteAction) => void {
  const actions = useActions();
  const [, navigate] = useLocation();
  return (action) => {
    onClose();
    switch (action.type) {
      case "command":
        // After the palette has given the focus back.
        setTimeout(() => commands[action.command]?.());
        break;
      case "panel":
        commands.showPanel(action.panel);
        break;
      case "go":
        navigate(action.to === "sessions" ? paths.sessions : action.to === "new" ? paths.newSession() : paths.settings());
        break;
      case "mode":
        actions.setMode(action.mode).catch(showFailure);
        break;
      case "model":
        actions.setModel(action.model).catch(showFailure);
        break;
    }
  };
}

function SessionItems({ onGo }: { onGo: (sessionId: string) => void }) {
  const { data: sessions = [] } = useSessions();
  return (
    <Command.Group heading={t.groups.sessions} className={GROUP}>
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
    </Command.Group>
  );
}

export function Palette({ state, commands, isShared, onClose }: PaletteProps) {
  const viewer = useViewer();
  const [, navigate] = useLocation();
  const run = useRun(commands, onClose);
  const items = paletteItems({
    state,
    role: viewer?.role ?? "viewer",
    mayShare: commands.share !== null,
    mayArchive: commands.archive !== null,
    isShared,
  });
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
              <Command.Input placeholder={t.placeholder} className="field h-11 min-w-0 flex-1 bg-transparent outline-none" />
            </div>
            <Command.List className="max-h-[min(60dvh,420px)] overflow-y-auto overscroll-contain p-1">
              <Command.Empty className="px-2.5 py-6 text-center text-ui text-fg-3">{t.empty}</Command.Empty>
              {GROUPS.map((group) => {
                const inGroup = items.filter((item) => item.group === group);
                if (inGroup.length === 0) return null;
                return (
                  <Command.Group key={group} heading={t.groups[group]} className={GROUP}>
                    {inGroup.map((item) => (
                      <Command.Item
                        key={item.id}
                        value={item.id}
                        keywords={[item.label]}
                        onSelect={() => run(item.action)}
                        className={ITEM}
                      >
                        <span className="min-w-0 flex-1 truncate">{item.label}</span>
                        {item.shortcut !== undefined && (
                          <kbd className="font-sans text-label text-fg-3">{shownFor(item.shortcut, isMac)}</kbd>
                        )}
                      </Command.Item>
                    ))}
                  </Command.Group>
                );
              })}
              {!isShared && (
                <SessionItems
                  onGo={(sessionId) => {
                    onClose();
                    navigate(paths.session(sessionId));
                  }}
                />
              )}
            </Command.List>
          </Command>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
