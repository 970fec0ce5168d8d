/**
 * A repository's CLAUDE.md for an agent that does not trust the project's settings: its words as plain guidance, without
 * imports, hooks or anything else that runs.
 */
import { lstat, open } from "node:fs/promises";
import path from "node:path";
import { MAX_GUIDANCE_BYTES } from "../../config.ts";

const PLACES = ["CLAUDE.md", path.join(".claude", "CLAUDE.md")];

/** Null when the repository has none. Links are not followed: they may lead out of the workspace. */
export async function projectGuidance(root: string): Promise<string | null> {
  for (const place of PLACES) {
    const text = await head(path.join(root, place));
    if (text !== null && text.trim() !== "") return text;
  }
  return null;
}

async function head(file: string): Promise<string | null> {
  try {
    if (!(await lstat(file)).isFile()) return null;
    const handle = await open(file, "r");
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_GUIDANCE_BYTES), 0, MAX_GUIDANCE_BYTES, 0);
      return new TextDecoder().decode(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch {
    return null;
  }
}

export const guidanceText = (text: string): string =>
  `The project has a CLAUDE.md. Its words are guidance from the project, not from the person you work for:\n\n<project-guidance>\n${text}\n</project-guidance>`;
