/**
 * Files that a program outside sends, written into the workspace and nowhere else (SPEC EX7): plain paths, no link followed,
 * nothing written through another name of a file, all judged before the first is written.
 */
import { constants } from "node:fs";
import { lstat, mkdir, open, realpath } from "node:fs/promises";
import path from "node:path";
import { plainPath } from "@ai-dev-platform/protocol/workspace-view";
import { isWithin } from "./fresh.ts";

/** The first path that is refused; null: all are written. */
export async function writeFiles(root: string, files: Readonly<Record<string, string>>): Promise<string | null> {
  const planned: { plain: string; content: string }[] = [];
  for (const [wanted, content] of Object.entries(files)) {
    const plain = writablePath(wanted);
    if (plain === null || !(await isFree(root, plain))) return wanted;
    planned.push({ plain, content });
  }
  for (const { plain, content } of planned) if (!(await writeOne(root, plain, content))) return plain;
  return null;
}

/** Some file systems know `.git` by other spellings. */
function writablePath(wanted: string): string | null {
  const plain = wanted.includes("\\") || wanted.endsWith("/") ? null : plainPath(wanted);
  const isGit = plain?.split("/").some((name) => name.toLowerCase() === ".git" || /^git~\d+$/i.test(name)) ?? false;
  return plain === null || plain === "" || isGit ? null : plain;
}

/** Every folder on the way is a folder or nothing yet, and what stands at the end is a file or nothing. */
async function isFree(root: string, plain: string): Promise<boolean> {
  const names = plain.split("/");
  for (let depth = 1; depth <= names.length; depth += 1) {
    const found = await lstat(path.join(root, ...names.slice(0, depth))).catch(() => null);
    if (found === null) return true;
    const isLast = depth === names.length;
    if (isLast ? !found.isFile() || found.nlink > 1 : !found.isDirectory()) return false;
  }
  return true;
}

async function writeOne(root: string, plain: string, content: string): Promise<boolean> {
  const file = path.join(root, plain);
  try {
    await mkdir(path.dirname(file), { recursive: true });
    const [realRoot, folder] = await Promise.all([realpath(root), realpath(path.dirname(file))]);
    if (!isWithin(folder, realRoot)) return false;
    // A FIFO would hold up an ordinary open for ever.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(path.join(folder, path.basename(file)), flags, 0o644);
    try {
      const found = await handle.stat();
      if (!found.isFile() || found.nlink > 1) return false;
      await handle.truncate(0);
      await handle.writeFile(content);
      return true;
    } finally {
      await handle.close();
    }
  } catch {
    return false;
  }
}
