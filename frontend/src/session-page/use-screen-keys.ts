/** The session screen's keys, by id of the table. The dock, the prompt field and the panels listen for their own. */
import { useEffect, useRef } from "react";
import { altLetter } from "../dock/shortcut-guard.ts";
import { focusDock } from "../dock/Dock.tsx";
import { useShortcuts } from "../keyboard/use-shortcuts.ts";
import { shell } from "../shell/shell-state.ts";
import { runTranscriptCommand, type TranscriptCommand } from "../transcript/commands.ts";
import { focusPrompt } from "./focus.ts";
import type { SessionCommands } from "./use-session-commands.ts";

/** Alt letters are read by hand: macOS types other characters with Option. */
function useAltKeys(handlers: Readonly<Record<string, () => void>>): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.repeat || event.isComposing) return;
      const handler = latest.current[altLetter(event) ?? ""];
      if (handler === undefined) return;
      event.preventDefault();
      handler();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

const inTranscript = (command: TranscriptCommand) => () => void runTranscriptCommand(command);

export function useScreenKeys(commands: SessionCommands): void {
  useAltKeys({ m: commands.cycleMode, d: focusDock });
  useShortcuts({
    palette: commands.openPalette,
    sheet: commands.openSheet,
    sidebar: shell.toggleSidebar,
    workbench: commands.toggleWorkbench,
    go_changes: () => commands.showPanel("changes"),
    go_files: () => commands.showPanel("files"),
    stop: commands.stop,
    stop_twice: commands.stop,
    compose: focusPrompt,
    next: inTranscript("next"),
    previous: inTranscript("previous"),
    next_turn: inTranscript("next_turn"),
    previous_turn: inTranscript("previous_turn"),
    toggle_turn: inTranscript("toggle_turn"),
    latest: inTranscript("latest"),
    copy_link: inTranscript("copy_link"),
    ...(commands.archive === null ? {} : { archive: commands.archive }),
  });
}
