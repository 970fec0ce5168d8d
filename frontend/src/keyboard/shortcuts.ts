/**
 * Every shortcut of the session screen: one table for the bindings, the sheet and the hints on buttons. Pure.
 * `keys` is a tinykeys binding. Alt letters are matched by `altLetter` (dock/shortcut-guard), since macOS types other
 * characters with Option; they carry no `keys`.
 */

export type ShortcutId =
  | "palette"
  | "sheet"
  | "sidebar"
  | "new_session"
  | "go_sessions"
  | "go_changes"
  | "go_files"
  | "workbench"
  | "send"
  | "queue"
  | "new_line"
  | "recall"
  | "compose"
  | "leave"
  | "stop"
  | "stop_twice"
  | "mode"
  | "next"
  | "previous"
  | "next_turn"
  | "previous_turn"
  | "toggle"
  | "toggle_turn"
  | "latest"
  | "copy_link"
  | "allow_once"
  | "allow_session"
  | "deny"
  | "dock"
  | "next_file"
  | "previous_file"
  | "viewed"
  | "archive";

export type ShortcutGroup = "anywhere" | "prompt" | "transcript" | "requests" | "changes";

export interface Shortcut {
  id: ShortcutId;
  group: ShortcutGroup;
  /** Alternatives; absent when another module listens (the prompt field, the dock). */
  keys?: readonly string[];
  /** For people: `Mod` becomes ⌘ or Ctrl, `Alt` becomes ⌥ or Alt. */
  shown: string;
  label: string;
  /** Acts outside fields only, and can be turned off. */
  isSingle?: boolean;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { id: "palette", group: "anywhere", keys: ["$mod+k"], shown: "Mod K", label: "Command palette" },
  { id: "sheet", group: "anywhere", keys: ["[Shift]+?"], shown: "?", label: "Show these shortcuts", isSingle: true },
  { id: "new_session", group: "anywhere", keys: ["c"], shown: "C", label: "New session", isSingle: true },
  { id: "go_sessions", group: "anywhere", keys: ["g s"], shown: "G S", label: "Go to sessions", isSingle: true },
  { id: "go_changes", group: "anywhere", keys: ["g c"], shown: "G C", label: "Go to Changes", isSingle: true },
  { id: "go_files", group: "anywhere", keys: ["g f"], shown: "G F", label: "Go to Files", isSingle: true },
  { id: "sidebar", group: "anywhere", keys: ["$mod+b"], shown: "Mod B", label: "Show or hide the sidebar" },
  { id: "workbench", group: "anywhere", keys: ["$mod+\\"], shown: "Mod \\", label: "Show or hide the workbench" },
  { id: "archive", group: "anywhere", keys: ["e"], shown: "E", label: "Archive the session", isSingle: true },

  { id: "compose", group: "prompt", keys: ["/"], shown: "/", label: "Write a prompt", isSingle: true },
  { id: "send", group: "prompt", shown: "Mod ↵", label: "Send" },
  { id: "queue", group: "prompt", shown: "Alt ↵", label: "Queue as the next turn" },
  { id: "new_line", group: "prompt", shown: "⇧ ↵", label: "New line" },
  { id: "recall", group: "prompt", shown: "↑", label: "Edit the last queued prompt, or recall the last one sent" },
  { id: "leave", group: "prompt", shown: "Esc", label: "Leave the field for the transcript" },
  { id: "stop", group: "prompt", keys: ["$mod+."], shown: "Mod .", label: "Stop" },
  { id: "stop_twice", group: "prompt", keys: ["Escape Escape"], shown: "Esc Esc", label: "Stop" },
  { id: "mode", group: "prompt", shown: "Alt M", label: "Next mode" },

  { id: "next", group: "transcript", keys: ["j"], shown: "J", label: "Next row", isSingle: true },
  { id: "previous", group: "transcript", keys: ["k"], shown: "K", label: "Previous row", isSingle: true },
  { id: "previous_turn", group: "transcript", keys: ["["], shown: "[", label: "Previous turn", isSingle: true },
  { id: "next_turn", group: "transcript", keys: ["]"], shown: "]", label: "Next turn", isSingle: true },
  { id: "toggle", group: "transcript", shown: "Space", label: "Open or close a step", isSingle: true },
  { id: "toggle_turn", group: "transcript", keys: ["o"], shown: "O", label: "Open or close all steps of a turn", isSingle: true },
  { id: "latest", group: "transcript", keys: ["l", "End"], shown: "End", label: "Jump to latest", isSingle: true },
  { id: "copy_link", group: "transcript", keys: ["y"], shown: "Y", label: "Copy a link to this step", isSingle: true },

  { id: "allow_once", group: "requests", shown: "Alt Y", label: "Allow once" },
  { id: "allow_session", group: "requests", shown: "Alt A", label: "Allow in this session" },
  { id: "deny", group: "requests", shown: "Alt N", label: "Deny…" },
  { id: "dock", group: "requests", shown: "Alt D", label: "Go to the request" },

  { id: "next_file", group: "changes", keys: ["n"], shown: "N", label: "Next file", isSingle: true },
  { id: "previous_file", group: "changes", keys: ["p"], shown: "P", label: "Previous file", isSingle: true },
  { id: "viewed", group: "changes", keys: ["v"], shown: "V", label: "Mark the file as viewed", isSingle: true },
];

export const GROUP_NAMES: Record<ShortcutGroup, string> = {
  anywhere: "Anywhere",
  prompt: "Prompt",
  transcript: "Transcript",
  requests: "Requests",
  changes: "Changes",
};

/** "Mod K" as this computer's keyboard says it: "⌘K" or "Ctrl K". */
export function shownKeys(shown: string, isMac: boolean): string {
  if (!isMac) return shown.replace("Mod", "Ctrl");
  return shown.replace("Mod ", "⌘").replace("Alt ", "⌥");
}

const byId = new Map(SHORTCUTS.map((shortcut) => [shortcut.id, shortcut]));
export const shownFor = (id: ShortcutId, isMac: boolean): string => shownKeys(byId.get(id)?.shown ?? "", isMac);
