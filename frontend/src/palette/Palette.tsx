/** ⌘K: go to a session or a page, or do something with this one. Loaded when it is first opened. */
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { useLocation } from "wouter";
import { isMac } from "../keyboard/platform.ts";
import { shownFor } from "../keyboard/shortcuts.ts";
import { paths } from "../routes.ts";
import { showFailure } from "../session-page/failure.ts";
import type { SessionCommands } from "../session-page/use-session-commands.ts";
import { useThreadPlace } from "../session-page/use-thread-place.ts";
import { useActions, useThread, useViewer } from "../session/use-session.ts";
import { t } from "./messages.ts";
import { PaletteFrame, PaletteGroup, PaletteLine, SessionLines } from "./PaletteFrame.tsx";
import { paletteItems, type PaletteAction, type PaletteItem } from "./palette-items.ts";

const GROUPS: readonly PaletteItem["group"][] = ["session", "go", "mode", "model"];

export interface PaletteProps {
  state: SessionState;
  commands: SessionCommands;
  isShared: boolean;
  onClose: () => void;
}

function useRun(commands: SessionCommands, onClose: () => void): (action: PaletteAction) => void {
  const actions = useActions();
  const [, navigate] = useLocation();
  const [, showThread] = useThreadPlace();
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
      case "stop_all":
        actions.stopAll().catch(showFailure);
        break;
      case "thread":
        showThread(action.thread);
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

export function Palette({ state, commands, isShared, onClose }: PaletteProps) {
  const viewer = useViewer();
  const [, navigate] = useLocation();
  const run = useRun(commands, onClose);
  const thread = useThread();
  if (thread === null) return null;
  const items = paletteItems({
    state,
    thread,
    role: viewer?.role ?? "viewer",
    mayShare: commands.share !== null,
    mayArchive: commands.archive !== null,
    isShared,
  });
  return (
    <PaletteFrame placeholder={t.placeholder} onClose={onClose}>
      {GROUPS.map((group) => {
        const inGroup = items.filter((item) => item.group === group);
        if (inGroup.length === 0) return null;
        return (
          <PaletteGroup key={group} heading={t.groups[group]}>
            {inGroup.map((item) => (
              <PaletteLine
                key={item.id}
                value={item.id}
                label={item.label}
                shortcut={item.shortcut && shownFor(item.shortcut, isMac)}
                onSelect={() => run(item.action)}
              />
            ))}
          </PaletteGroup>
        );
      })}
      {!isShared && (
        <SessionLines
          onGo={(sessionId) => {
            onClose();
            navigate(paths.session(sessionId));
          }}
        />
      )}
    </PaletteFrame>
  );
}
