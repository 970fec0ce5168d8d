/** Where the focus can be sent on the session screen, by the person's own key or a skip link. */
import { PROMPT_FIELD_ID } from "../composer/PromptField.tsx";
import { runTranscriptCommand } from "../transcript/commands.ts";

export const focusTranscript = (): void => void runTranscriptCommand("focus");
export const focusPrompt = (): void => document.getElementById(PROMPT_FIELD_ID)?.focus();
