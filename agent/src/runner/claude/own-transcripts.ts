/**
 * This session's conversations between the person's own Claude folder and the session's, which is the one that is saved. One
 * folder of conversations is named after the session; nothing else of theirs is looked at, and only plain files pass.
 */
import { constants } from "node:fs";
import { copyFile, lstat, mkdir, readdir, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";

/** As `environment.ts` names it for agents that use the session's folder. */
const SESSION_FOLDER = path.join("projects", "session");
/** One conversation with its sub-agents' and its tools' longer results. */
const MAX_DEPTH = 4;

type Environment = Readonly<Record<string, string | undefined>>;

const ownConfigDir = (env: Environment): string => env["CLAUDE_CONFIG_DIR"] ?? path.join(homedir(), ".claude");

export class OwnTranscripts {
  readonly #own: string;
  readonly #kept: string;

  constructor(env: Environment, projectDirName: string, claudeDir: string) {
    this.#own = path.join(ownConfigDir(env), "projects", projectDirName);
    this.#kept = path.join(claudeDir, SESSION_FOLDER);
  }

  /** What was restored goes where their program looks. What is there already and newer stays. */
  hand(): Promise<void> {
    return copyNewer(this.#kept, this.#own, MAX_DEPTH);
  }

  /** What their program wrote goes where it is saved from. */
  keep(): Promise<void> {
    return copyNewer(this.#own, this.#kept, MAX_DEPTH);
  }
}

async function copyNewer(from: string, to: string, depth: number): Promise<void> {
  const folder = await lstat(from).catch(() => null);
  if (folder?.isDirectory() !== true || depth === 0) return;
  const names = await readdir(from);
  if (names.length === 0) return;
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of names) {
    const [source, target] = [path.join(from, name), path.join(to, name)];
    const [found, there] = await Promise.all([lstat(source).catch(() => null), lstat(target).catch(() => null)]);
    if (found?.isDirectory() === true) await copyNewer(source, target, depth - 1);
    // A link could lead to what is not this session's.
    if (found?.isFile() !== true || (there !== null && !there.isFile())) continue;
    if (there !== null && (there.mtimeMs > found.mtimeMs || (there.size === found.size && there.mtimeMs === found.mtimeMs))) continue;
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    // The same time, so that an unchanged one is known by it.
    await utimes(target, found.atime, found.mtime);
  }
}
