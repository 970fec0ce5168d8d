/**
 * This session's conversations between the person's own Claude folder and the session's, which is the one that is saved. Only
 * conversations that this session began or was given are looked at, by their ids, and only plain files pass: others of theirs
 * may lie in the same folder.
 */
import { constants } from "node:fs";
import { copyFile, lstat, mkdir, readdir, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";

/** As `environment.ts` names it for agents that use the session's folder. */
const SESSION_FOLDER = path.join("projects", "session");
/** One conversation with its sub-agents' and its tools' longer results. */
const MAX_DEPTH = 4;
const ID = /^[\w-]{8,64}$/;

type Environment = Readonly<Record<string, string | undefined>>;

const ownConfigDir = (env: Environment): string => env["CLAUDE_CONFIG_DIR"] ?? path.join(homedir(), ".claude");

/** How their program names the folder of conversations in a workspace. */
const folderNameOf = (root: string): string => root.replaceAll(/[^a-zA-Z0-9]/g, "-");

export class OwnTranscripts {
  readonly #projects: string;
  readonly #here: string;
  readonly #kept: string;
  readonly #ids: Set<string>;

  constructor(env: Environment, root: string, claudeDir: string, ids: readonly string[]) {
    this.#projects = path.join(ownConfigDir(env), "projects");
    this.#here = folderNameOf(root);
    this.#kept = path.join(claudeDir, SESSION_FOLDER);
    this.#ids = new Set(ids.filter((id) => ID.test(id)));
  }

  /** A conversation that an agent of this session is in. */
  note(id: string): void {
    if (ID.test(id)) this.#ids.add(id);
  }

  /** What was restored goes where their program looks. What is there already and newer stays. */
  async hand(): Promise<void> {
    const known = await namesIn(this.#kept);
    for (const id of this.#ids) {
      for (const name of [`${id}.jsonl`, id])
        if (known.includes(name)) await copyNewer(path.join(this.#kept, name), path.join(this.#projects, this.#here, name), MAX_DEPTH);
    }
  }

  /** What their program wrote goes where it is saved from. */
  async keep(): Promise<void> {
    const folders = [this.#here, ...(await namesIn(this.#projects)).filter((name) => name !== this.#here)];
    for (const id of this.#ids) {
      for (const folder of folders) {
        const from = path.join(this.#projects, folder);
        const found = await lstat(path.join(from, `${id}.jsonl`)).catch(() => null);
        if (found?.isFile() !== true) continue;
        for (const name of [`${id}.jsonl`, id]) await copyNewer(path.join(from, name), path.join(this.#kept, name), MAX_DEPTH);
        break;
      }
    }
  }
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** A file, or a folder of files. A link could lead to what is not this session's. */
async function copyNewer(from: string, to: string, depth: number): Promise<void> {
  const [found, there] = await Promise.all([lstat(from).catch(() => null), lstat(to).catch(() => null)]);
  if (found?.isDirectory() === true && depth > 0) {
    for (const name of await namesIn(from)) await copyNewer(path.join(from, name), path.join(to, name), depth - 1);
    return;
  }
  if (found?.isFile() !== true || (there !== null && !there.isFile())) return;
  if (there !== null && (there.mtimeMs > found.mtimeMs || (there.size === found.size && there.mtimeMs === found.mtimeMs))) return;
  await mkdir(path.dirname(to), { recursive: true, mode: 0o700 });
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  // The same time, so that an unchanged one is known by it.
  await utimes(to, found.atime, found.mtime);
}
