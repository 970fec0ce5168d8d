/** Our own slash commands: reads them, runs them, and tells what to offer. Everything else is text for Claude. */
import { may } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { useMemo } from "react";
import { showFailure } from "../session-page/failure.ts";
import { useActions, useViewer } from "../session/use-session.ts";
import { toast } from "../ui/toast.ts";
import { OWN_COMMANDS, t } from "./messages.ts";
import { modeChoices, modelChoices } from "./modes.ts";
import { mergeCommands, readOwnCommand, type SlashContext } from "./slash.ts";

export interface ComposerCommands {
  context: SlashContext;
  /** True when the text was one of ours and has been carried out. */
  run: (text: string) => boolean;
}

export function useComposerCommands(state: SessionState, onShare: (() => void) | null): ComposerCommands {
  const actions = useActions();
  const viewer = useViewer();
  const isOwner = viewer !== null && may(viewer.role, "own");
  const { agent, mode, model } = state;
  const context = useMemo((): SlashContext => {
    const ours = OWN_COMMANDS.filter(({ name }) => (name !== "share" || onShare !== null) && (name !== "rename" || isOwner));
    return { commands: mergeCommands(ours, agent?.commands ?? []), modes: modeChoices(mode), models: modelChoices({ agent, model }) };
  }, [agent, mode, model, onShare, isOwner]);

  const run = (text: string): boolean => {
    const command = readOwnCommand(text, context);
    if (command === null) return false;
    switch (command.name) {
      case "share":
        if (onShare === null) return false;
        onShare();
        return true;
      case "save":
        toast(t.done.saved);
        actions.save().catch(showFailure);
        return true;
      case "rename":
        if (!isOwner) return false;
        actions.rename(command.title).then(() => toast(t.done.renamed), showFailure);
        return true;
      case "mode":
        if (command.mode !== mode) actions.setMode(command.mode).catch(showFailure);
        return true;
      case "model":
        if (command.model !== model) actions.setModel(command.model).catch(showFailure);
        return true;
    }
  };
  return { context, run };
}
