/**
 * What a program changed in the workspace: the tree as it stood before, compared with the tree afterwards (SPEC EX6). What
 * Git ignores is not named. While agents work beside it, their changes are among them: it is the workspace's view, not the program's.
 */
import type { ChangedFile } from "@ai-dev-platform/protocol/events";
import { MAX_EXECUTION_FILES } from "@ai-dev-platform/protocol/execution-words";
import { changedFiles } from "./changes.ts";
import { keptByGit } from "./listing.ts";
import { LISTED, type Tree } from "./origin.ts";
import { walkTree } from "./tree-walk.ts";
import type { Origin } from "./workspace-state.ts";
import { writeFiles } from "./write-files.ts";

interface Look {
  /** Of each file and link: what any change of it changes. */
  marks: Map<string, string>;
  /** Null: no repository. */
  kept: ReadonlySet<string> | null;
}
interface Before extends Look {
  /** What differed from the session's beginning already. */
  changed: ReadonlySet<string>;
}

/** Of all names together: they travel in one frame. */
const MAX_NAMES_CHARS = 60_000;
const UNKNOWN = { additions: -1, deletions: -1 };

export class ExecutionMarks {
  readonly #tree: Tree;
  readonly #origin: () => Origin;
  readonly #before = new Map<string, Before>();

  constructor(tree: Tree, origin: () => Origin) {
    this.#tree = tree;
    this.#origin = origin;
  }

  /** Remembers the tree, then writes the files. The path that was refused; null: none. */
  async begin(executionId: string, files: Readonly<Record<string, string>>): Promise<string | null> {
    const [look, { files: changed }] = await Promise.all([this.#look(), changedFiles(this.#tree, this.#origin())]);
    const refused = await writeFiles(this.#tree.root, files);
    if (refused === null) this.#before.set(executionId, { ...look, changed: new Set(changed.map(({ path }) => path)) });
    return refused;
  }

  async end(executionId: string): Promise<ChangedFile[]> {
    const before = this.#before.get(executionId);
    this.#before.delete(executionId);
    if (before === undefined) return [];
    const after = await this.#look();
    const found = compare(before, after);
    if (found.length === 0) return [];
    const { files } = await changedFiles(this.#tree, this.#origin());
    // Git counts from the session's beginning: of a file that differed before, nobody knows which lines are new.
    const counted = new Map(files.filter(({ path }) => !before.changed.has(path)).map((file) => [file.path, file]));
    return bounded(
      found.map((file) => {
        const { additions, deletions } = counted.get(file.path) ?? UNKNOWN;
        return { ...file, additions, deletions };
      }),
    );
  }

  async #look(): Promise<Look> {
    const [{ entries }, kept] = await Promise.all([walkTree(this.#tree.root, LISTED), keptByGit(this.#tree)]);
    const files = entries.filter(({ kind }) => kind !== "folder");
    return { kept, marks: new Map(files.map((file) => [file.path, `${file.ctimeMs} ${file.inode} ${file.bytes} ${file.target}`])) };
  }
}

function compare(before: Look, after: Look): Pick<ChangedFile, "path" | "status">[] {
  const isShown = ({ kept }: Look, path: string): boolean => kept === null || kept.has(path);
  const now = [...after.marks].flatMap(([path, mark]): Pick<ChangedFile, "path" | "status">[] => {
    const old = before.marks.get(path);
    if (old === mark || !isShown(after, path)) return [];
    return [{ path, status: old === undefined ? "added" : "modified" }];
  });
  const gone = [...before.marks.keys()].filter((path) => !after.marks.has(path) && isShown(before, path));
  return [...now, ...gone.map((path) => ({ path, status: "deleted" }) as const)].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function bounded(files: ChangedFile[]): ChangedFile[] {
  let chars = 0;
  return files.slice(0, MAX_EXECUTION_FILES).filter(({ path }) => (chars += path.length) <= MAX_NAMES_CHARS);
}
