/** What the model is told about where it is, and how what was said elsewhere is put before it. Pure. */
import type { Talk } from "../../session/api.ts";

const PLACE =
  "You talk with a person about their software project, in a coding session. No computer is connected to the session now: " +
  "neither one of the person's machines nor a cloud sandbox. You cannot run commands, and you cannot create or change files. " +
  "Never say that you did. When something has to be done, say what you would do, or show the code; an agent with a computer can " +
  "do it when the session moves to a machine or a sandbox, and it will be told what was said here.";

const NO_FILES = "Nothing of the project's files is saved, so you cannot see them. Ask the person for what you need to know.";

const withFiles = (savedAt: string): string =>
  `You can look at the newest saved state of the project's files (${savedAt}) with list_files, read_file and search_files. ` +
  "The files on the person's machine may be newer than that; say so where it matters.";

const STYLE = "Answer in the person's language, briefly and to the point, in Markdown.";

export const systemPrompt = (savedFiles: number | null): string =>
  [PLACE, savedFiles === null ? NO_FILES : withFiles(`${savedFiles} files`), STYLE].join("\n\n");

export const LEFT_OUT = "(Earlier parts of this conversation are left out.)";

/** What people and the agent said while a computer was there, as quotation. */
export function digestText(talk: Talk): string {
  const lines = talk.items.map(({ who, text }) => (who === "note" ? `(${text})` : `${who === "person" ? "Person" : "Agent"}: ${text}`));
  return [
    "What was said in this session while an agent with a computer worked in it, for you to know:",
    "<session-so-far>",
    ...(talk.isCut ? ["(Earlier parts are left out.)"] : []),
    ...lines,
    "</session-so-far>",
  ].join("\n");
}
