/**
 * Folders of this computer that its user trusts a server's sessions with: asked once for each real path, kept until removed.
 * What a link points to is what counts, and the runner looks again when it opens one.
 */
import { mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import * as z from "zod";

const FILE = "trusted-folders.json";
const schema = z.object({ folders: z.array(z.string()) });

export function trustedFolders(serverDir: string): string[] {
  try {
    const parsed = schema.safeParse(JSON.parse(readFileSync(path.join(serverDir, FILE), "utf8")));
    return parsed.success ? parsed.data.folders : [];
  } catch {
    return [];
  }
}

export const trustFolder = (serverDir: string, realFolder: string): void =>
  write(serverDir, [...new Set([...trustedFolders(serverDir), realFolder])]);

/** False when it was not trusted. */
export function untrustFolder(serverDir: string, folder: string): boolean {
  const folders = trustedFolders(serverDir);
  if (!folders.includes(folder)) return false;
  write(
    serverDir,
    folders.filter((each) => each !== folder),
  );
  return true;
}

function write(serverDir: string, folders: readonly string[]): void {
  mkdirSync(serverDir, { recursive: true, mode: 0o700 });
  const file = path.join(serverDir, FILE);
  writeFileSync(`${file}.next`, `${JSON.stringify({ folders })}\n`, { mode: 0o600 });
  renameSync(`${file}.next`, file);
}

/** Not below a trusted one: each folder is asked for by itself. */
export const isTrusted = (serverDir: string, realFolder: string): boolean => trustedFolders(serverDir).includes(realFolder);

export type FolderVerdict = { ok: true; realFolder: string } | { ok: false; reason: string };

/** A folder that is there and is not all of somebody's files. */
export function judgeFolder(folder: string, home = homedir()): FolderVerdict {
  let realFolder: string;
  try {
    realFolder = realpathSync(folder);
    if (!statSync(realFolder).isDirectory()) return { ok: false, reason: `${folder} is not a folder.` };
  } catch {
    return { ok: false, reason: `There is no folder ${folder}.` };
  }
  const isWithin = !path.relative(realFolder, realpathSync(home)).startsWith("..");
  return isWithin ? { ok: false, reason: `${realFolder} is your home folder, or above it.` } : { ok: true, realFolder };
}
