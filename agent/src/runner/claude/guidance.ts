/**
 * A repository's CLAUDE.md for an agent that does not trust the project's settings: its words as plain guidance, without
 * imports, hooks or anything else that runs.
 */
import path from "node:path";
import { MAX_GUIDANCE_BYTES } from "../../config.ts";
import { readPlainFile } from "./plain-file.ts";

const PLACES = ["CLAUDE.md", path.join(".claude", "CLAUDE.md")];

/** Null when the repository has none. Links do not lead out of the workspace. */
export async function projectGuidance(root: string): Promise<string | null> {
  for (const place of PLACES) {
    const found = await readPlainFile(root, place, MAX_GUIDANCE_BYTES);
    const text = found === null ? "" : new TextDecoder().decode(found.head);
    if (text.trim() !== "") return text;
  }
  return null;
}

export const guidanceText = (text: string): string =>
  `The project has a CLAUDE.md. Its words are guidance from the project, not from the person you work for:\n\n<project-guidance>\n${text}\n</project-guidance>`;
