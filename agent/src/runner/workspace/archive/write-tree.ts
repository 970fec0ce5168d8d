/** Writes a judged archive into a folder that this very unpacking made: nothing that is there already is ever opened. */
import { constants } from "node:fs";
import { chmod, copyFile, mkdir, open, symlink } from "node:fs/promises";
import path from "node:path";
import type { Plan, Planned } from "./judge-archive.ts";

/** Readable and writable by its owner, runnable where the archive says so; nothing else of a mode is taken over. */
const modeOf = (isExecutable: boolean): number => (isExecutable ? 0o755 : 0o644);

export class Damaged extends Error {}

export async function makeFolders(root: string, plan: Plan): Promise<void> {
  await mkdir(root, { mode: 0o755 });
  for (const folder of plan.folders) await mkdir(path.join(root, folder), { mode: 0o755 });
}

type PlannedFile = Extract<Planned, { kind: "file" }>;

/** Exactly as many bytes as its entry promised. */
export async function writeFileOf(root: string, file: PlannedFile, content: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(path.join(root, file.path), "wx", 0o600);
  try {
    let written = 0;
    for await (const chunk of content) {
      written += chunk.length;
      if (written > file.bytes) break;
      await handle.write(chunk);
    }
    if (written !== file.bytes) throw new Damaged(`${JSON.stringify(file.path.slice(0, 200))} has another size than its entry says.`);
    await handle.chmod(modeOf(file.isExecutable));
  } finally {
    await handle.close();
  }
}

/** Copies first, then links: no path of a file ever leads through a link. */
export async function finishTree(root: string, plan: Plan): Promise<void> {
  const planned = [...plan.entries.values()];
  for (const entry of planned) {
    if (entry.kind !== "copy") continue;
    await copyFile(path.join(root, entry.from), path.join(root, entry.path), constants.COPYFILE_EXCL);
    await chmod(path.join(root, entry.path), modeOf(entry.isExecutable));
  }
  for (const entry of planned) if (entry.kind === "link") await symlink(entry.target, path.join(root, entry.path));
}
