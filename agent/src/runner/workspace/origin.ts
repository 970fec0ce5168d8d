/** What "changes" are measured against, found when a workspace is first made. */
import { git, type GitRun } from "./git.ts";
import { judgeWorkspace } from "./save-rules.ts";
import { walkTree } from "./tree-walk.ts";
import type { Baseline, Origin } from "./workspace-state.ts";

/** A baseline of more than this is not worth its memory: changes of such a folder are not shown. */
const MAX_BASELINE_FILES = 20_000;

export const LISTED = {
  judge: (relativePath: string, name: string, isFolder: boolean, siblings: ReadonlySet<string>) =>
    name === ".git" ? "skip" : judgeWorkspace(relativePath, name, isFolder, siblings),
  maxFileBytes: Number.MAX_SAFE_INTEGER,
  maxTotalBytes: Number.MAX_SAFE_INTEGER,
} as const;

/** The tree that a session works on. */
export interface Tree {
  root: string;
  /** A folder of this machine, used where it is. */
  isInPlace: boolean;
}

export async function findOrigin(tree: Tree): Promise<Origin> {
  if (!(await isRepository(tree))) return { commit: null, baseline: await listFiles(tree.root) };
  const head = await git(["rev-parse", "--verify", "-q", "HEAD^{commit}"], at(tree));
  return { commit: head.ok ? head.stdout.trim() : await emptyTree(tree), baseline: null };
}

export const at = (tree: Tree): GitRun => ({ cwd: tree.root, allowOuterRepository: tree.isInPlace });

export async function isRepository(tree: Tree): Promise<boolean> {
  const inside = await git(["rev-parse", "--is-inside-work-tree"], at(tree));
  return inside.ok && inside.stdout.trim() === "true";
}

/** A repository without a commit is compared with nothing at all. */
async function emptyTree(tree: Tree): Promise<string | null> {
  const written = await git(["hash-object", "-w", "-t", "tree", "--stdin"], at(tree));
  return written.ok ? written.stdout.trim() : null;
}

export async function listFiles(root: string): Promise<Baseline> {
  const listing = await walkTree(root, LISTED);
  const files = listing.entries.filter((entry) => entry.kind === "file");
  if (files.length > MAX_BASELINE_FILES) return {};
  return Object.fromEntries(files.map((entry) => [entry.path, { bytes: entry.bytes, mtimeMs: entry.mtimeMs }]));
}
