/** What the palette offers, from the state and the role. Pure: items carry what they do as data. */
import { MODES, type Mode } from "@ai-dev-platform/protocol/modes";
import { may, type Role } from "@ai-dev-platform/protocol/roles";
import type { SessionState, ThreadState } from "@ai-dev-platform/protocol/state";
import { modeChoices, modelChoices } from "../composer/modes.ts";
import type { ShortcutId } from "../keyboard/shortcuts.ts";
import type { Panel } from "../session-page/panel-url.ts";
import { threadTitle } from "../session-page/thread-title.ts";
import { openTurns } from "../session/threads.ts";
import { t } from "./messages.ts";

export type PaletteAction =
  | { type: "command"; command: "stop" | "share" | "rename" | "save" | "copyLink" | "archive" | "toggleWorkbench" | "openSheet" }
  | { type: "panel"; panel: Panel }
  | { type: "thread"; thread: string }
  | { type: "stop_all" }
  | { type: "go"; to: "sessions" | "new" | "settings" }
  | { type: "mode"; mode: Mode }
  | { type: "model"; model: string };

export interface PaletteItem {
  id: string;
  group: keyof typeof t.groups;
  label: string;
  shortcut?: ShortcutId;
  action: PaletteAction;
}

export interface PaletteContext {
  state: SessionState;
  /** The agent that is shown. */
  thread: ThreadState;
  role: Role;
  mayShare: boolean;
  mayArchive: boolean;
  isShared: boolean;
}

const toMode = (value: string): Mode | undefined => MODES.find((mode) => mode === value);

export function paletteItems({ state, thread, role, mayShare, mayArchive, isShared }: PaletteContext): PaletteItem[] {
  const mayDrive = may(role, "drive");
  const items: (PaletteItem | false)[] = [
    mayDrive &&
      thread.turn !== null && {
        id: "stop",
        group: "session",
        label: t.stop,
        shortcut: "stop",
        action: { type: "command", command: "stop" },
      },
    mayDrive && openTurns(state).length > 1 && { id: "stop-all", group: "session", label: t.stopAll, action: { type: "stop_all" } },
    { id: "changes", group: "session", label: t.changes, shortcut: "go_changes", action: { type: "panel", panel: "changes" } },
    { id: "files", group: "session", label: t.files, shortcut: "go_files", action: { type: "panel", panel: "files" } },
    { id: "timeline", group: "session", label: t.timeline, action: { type: "panel", panel: "timeline" } },
    state.hostKind === "sandbox" && { id: "network", group: "session", label: t.network, action: { type: "panel", panel: "network" } },
    { id: "mcp", group: "session", label: t.mcp, action: { type: "panel", panel: "mcp" } },
    mayShare && { id: "share", group: "session", label: t.share, action: { type: "command", command: "share" } },
    may(role, "own") && { id: "rename", group: "session", label: t.rename, action: { type: "command", command: "rename" } },
    mayDrive && { id: "save", group: "session", label: t.save, action: { type: "command", command: "save" } },
    !isShared && { id: "copy-link", group: "session", label: t.copyLink, action: { type: "command", command: "copyLink" } },
    {
      id: "workbench",
      group: "session",
      label: t.workbench,
      shortcut: "workbench",
      action: { type: "command", command: "toggleWorkbench" },
    },
    mayArchive && {
      id: "archive",
      group: "session",
      label: t.archive,
      shortcut: "archive",
      action: { type: "command", command: "archive" },
    },
    !isShared && { id: "go-sessions", group: "go", label: t.allSessions, shortcut: "go_sessions", action: { type: "go", to: "sessions" } },
    !isShared && { id: "go-new", group: "go", label: t.newSession, shortcut: "new_session", action: { type: "go", to: "new" } },
    !isShared && { id: "go-settings", group: "go", label: t.settings, action: { type: "go", to: "settings" } },
    { id: "shortcuts", group: "go", label: t.shortcuts, shortcut: "sheet", action: { type: "command", command: "openSheet" } },
  ];
  return [
    ...items.filter((item) => item !== false),
    ...threadItems(state),
    ...(mayDrive ? [...modeItems(thread.mode), ...modelItems(state)] : []),
  ];
}

const threadItems = (state: SessionState): PaletteItem[] =>
  state.threads.length < 2
    ? []
    : state.threads.map(({ thread, title }) => ({
        id: `thread:${thread}`,
        group: "session",
        label: t.thread(threadTitle({ thread, title })),
        action: { type: "thread", thread },
      }));

const modeItems = (current: Mode): PaletteItem[] =>
  modeChoices(current).flatMap(({ value, label }): PaletteItem[] => {
    const mode = toMode(value);
    return mode === undefined || mode === current
      ? []
      : [{ id: `mode:${mode}`, group: "mode", label: t.mode(label), action: { type: "mode", mode } }];
  });

const modelItems = (state: SessionState): PaletteItem[] =>
  modelChoices(state)
    .filter(({ value }) => value !== state.model)
    .map(({ value, label }) => ({ id: `model:${value}`, group: "model", label: t.model(label), action: { type: "model", model: value } }));
