/**
 * What this disk knows of its dependency layers, in `dependencies.json`: which folder is as which layer has it, and which
 * are still to be brought back. A cache like the layers themselves: lost, a layer is stored once more.
 */
import { createHash } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { dependencyLayerSchema } from "@ai-dev-platform/protocol/snapshot";
import * as z from "zod";
import { decodeIndex, encodeIndex, type TreeIndex } from "../packs/tree-index.ts";

const notesSchema = z.object({
  /** By folder: how it looked when it was saved or brought back. */
  marks: z.record(z.string(), z.object({ key: z.string(), mark: z.string() })),
  wanted: z.array(dependencyLayerSchema),
});
export type Notes = z.infer<typeof notesSchema>;

const NAME = "dependencies.json";

export async function readNotes(stateDir: string): Promise<Notes> {
  const text = await readFile(path.join(stateDir, NAME), "utf8").catch(() => "");
  try {
    return notesSchema.safeParse(JSON.parse(text)).data ?? { marks: {}, wanted: [] };
  } catch {
    return { marks: {}, wanted: [] };
  }
}

export async function writeNotes(stateDir: string, notes: Notes): Promise<void> {
  const file = path.join(stateDir, NAME);
  const isEmpty = notes.wanted.length === 0 && Object.keys(notes.marks).length === 0;
  await (isEmpty ? rm(file, { force: true }) : replace(file, JSON.stringify(notes)));
}

const indexFile = (stateDir: string, folder: string): string =>
  path.join(stateDir, `dependencies-${createHash("sha256").update(folder).digest("hex").slice(0, 16)}.json`);

export async function readLayerIndex(stateDir: string, folder: string): Promise<TreeIndex | null> {
  const text = await readFile(indexFile(stateDir, folder), "utf8").catch(() => null);
  return text === null ? null : decodeIndex(text);
}

export const writeLayerIndex = (stateDir: string, folder: string, index: TreeIndex): Promise<void> =>
  replace(indexFile(stateDir, folder), encodeIndex(index));

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.next`, text, { mode: 0o600 });
  await rename(`${file}.next`, file);
}
