/** What header, menu, palette and keys can do with a session: one place for each action, so that all ways do the same. */
import { may } from "@ai-dev-platform/protocol/roles";
import { useLocation } from "wouter";
import { nextMode } from "../composer/modes.ts";
import { t as composerWords } from "../composer/messages.ts";
import { paths } from "../routes.ts";
import { useActions, useSessionState, useThread, useViewer } from "../session/use-session.ts";
import { useArchive } from "../sessions/use-sessions.ts";
import { toast } from "../ui/toast.ts";
import { showFailure } from "./failure.ts";
import { t } from "./messages.ts";
import type { Panel } from "./panel-url.ts";

export interface ScreenControls {
  rename: () => void;
  openShare: () => void;
  openPalette: () => void;
  openSheet: () => void;
  showPanel: (panel: Panel) => void;
  toggleWorkbench: () => void;
}

export interface SessionCommands extends Omit<ScreenControls, "openShare"> {
  /** Null where the person may not share. */
  share: (() => void) | null;
  save: () => void;
  stop: () => void;
  cycleMode: () => void;
  /** Null in a shared view, whose address alone opens nothing. */
  copyLink: (() => void) | null;
  /** Null in a shared view. */
  archive: (() => void) | null;
}

export function useSessionCommands(sessionId: string, isShared: boolean, controls: ScreenControls): SessionCommands {
  const actions = useActions();
  const state = useSessionState();
  const thread = useThread();
  const viewer = useViewer();
  const [, navigate] = useLocation();
  const archive = useArchive();
  const isOwner = viewer !== null && may(viewer.role, "own");
  const mayDrive = viewer !== null && may(viewer.role, "drive");

  const setArchived = (archived: boolean) => archive.mutate({ sessionId, archived }, { onError: showFailure });
  return {
    ...controls,
    share: isOwner && !isShared ? controls.openShare : null,
    save: () => {
      toast(composerWords.done.saved);
      actions.save().catch(showFailure);
    },
    stop: () => {
      if (mayDrive && thread?.turn) actions.stop().catch(showFailure);
    },
    cycleMode: () => {
      if (mayDrive && state !== null) actions.setMode(nextMode(thread?.mode ?? state.mode)).catch(showFailure);
    },
    copyLink: isShared
      ? null
      : () => void navigator.clipboard.writeText(location.origin + location.pathname).then(() => toast(t.menu.copied)),
    archive:
      isOwner && !isShared
        ? () => {
            setArchived(true);
            navigate(paths.sessions);
            toast(t.menu.archived, { undo: () => setArchived(false) });
          }
        : null,
  };
}
