/**
 * What differs from the session's starting point: by Git's plumbing where there is a repository, so that a project's own
 * diff drivers never run; else by comparing with the files as they were listed.
 */
import { open } from "node:fs/promises";
import path from "node:path";
import type { ChangedFile } from "@ai-dev-platform/protocol/events";
import { MAX_PATCH_CHARS } from "@ai-dev-platform/protocol/limits";
import { git } from "./git.ts";
import { at, listFiles, type Tree } from "./origin.ts";
import type { Baseline, Origin } from "./workspace-state.ts";

export interface Changes {
  base: string;
  files: ChangedFile[];
}

/** As many as one event may name. */
const MAX_CHANGED_FILES = 1_000;
/** Lines of a new file are counted up to this size; a larger one counts as binary. */
const MAX_COUNTED_BYTES = 2_000_000;
const BINARY = -1;
const DIFF = ["diff", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty", "-M", "--relative"];
const EMPTY_BASELINE: Baseline = {};

export async function changedFiles(tree: Tree, origin: Origin): Promise<Changes> {
  if (origin.commit === null) return { base: "", files: compareListings(origin.baseline ?? EMPTY_BASELINE, await listFiles(tree.root)) };
  const base = await knownCommit(tree, origin.commit);
  const diff = await git([...DIFF, "--raw", "--numstat", "-z", base, "--"], at(tree));
  const tracked = diff.ok ? parseRawNumstat(diff.stdout) : [];
  const room = MAX_CHANGED_FILES - tracked.length;
  const untracked = room > 0 ? (await untrackedPaths(tree)).slice(0, room) : [];
  const added = await Promise.all(untracked.map((name) => newFile(tree.root, name)));
  const files = [...tracked, ...added].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { base, files: files.slice(0, MAX_CHANGED_FILES) };
}

export interface Patch {
  patch: string;
  truncated: boolean;
}

/** Null when there is nothing to show. */
export async function patchOf(tree: Tree, origin: Origin, plain: string): Promise<Patch | null> {
  const name = `./${plain}`;
  if (origin.commit !== null) {
    const base = await knownCommit(tree, origin.commit);
    const diff = await git(["--literal-pathspecs", ...DIFF, base, "--", name], at(tree));
    if (diff.ok && diff.stdout !== "") return limited(diff.stdout);
  }
  // New and not yet known to Git: compared with nothing. 1 means "they differ".
  const added = await git(
    ["diff", "--no-index", "--no-color", "--no-ext-diff", "--no-textconv", "--", "/dev/null", name],
    at(tree),
    [0, 1],
  );
  return added.ok && added.stdout !== "" ? limited(added.stdout) : null;
}

const limited = (patch: string): Patch => ({ patch: patch.slice(0, MAX_PATCH_CHARS), truncated: patch.length > MAX_PATCH_CHARS });

/** The starting point may have been rewritten away; then the newest commit is the best there is. */
async function knownCommit(tree: Tree, commit: string): Promise<string> {
  const known = await git(["cat-file", "-e", commit], at(tree));
  return known.ok ? commit : "HEAD";
}

async function untrackedPaths(tree: Tree): Promise<string[]> {
  const listed = await git(["ls-files", "-o", "--exclude-standard", "-z"], at(tree));
  return listed.ok ? listed.stdout.split("\0").filter((name) => name !== "") : [];
}

async function newFile(root: string, name: string): Promise<ChangedFile> {
  return { path: name, status: "added", additions: await countLines(path.join(root, name)), deletions: 0 };
}

async function countLines(file: string): Promise<number> {
  try {
    const handle = await open(file, "r");
    try {
      const stat = await handle.stat();
      if (!stat.isFile() || stat.size > MAX_COUNTED_BYTES) return BINARY;
      const content = await handle.readFile();
      if (content.includes(0)) return BINARY;
      const lines = content.toString("latin1").split("\n");
      return lines.at(-1) === "" ? lines.length - 1 : lines.length;
    } finally {
      await handle.close();
    }
  } catch {
    return BINARY;
  }
}

const STATUSES: Record<string, ChangedFile["status"]> = { A: "added", C: "added", D: "deleted", R: "renamed" };

/** Reads `git diff --raw --numstat -z`: the raw records first (`:modes ids status`), then the counts. */
export function parseRawNumstat(output: string): ChangedFile[] {
  const files = new Map<string, ChangedFile>();
  const tokens = output.split("\0");
  let index = 0;
  const take = (): string => tokens[index++] ?? "";
  while (index < tokens.length) {
    const token = take();
    if (token === "") continue;
    if (token.startsWith(":")) {
      const status = token.split(" ").at(-1)?.charAt(0) ?? "M";
      const first = take();
      const name = status === "R" || status === "C" ? take() : first;
      files.set(name, { path: name, status: STATUSES[status] ?? "modified", additions: 0, deletions: 0 });
      continue;
    }
    const [additions = "", deletions = "", named = ""] = token.split("\t");
    if (named === "") take();
    const name = named === "" ? take() : named;
    const file = files.get(name);
    if (file !== undefined) files.set(name, { ...file, additions: count(additions), deletions: count(deletions) });
  }
  return [...files.values()];
}

const count = (field: string): number => (field === "-" ? BINARY : Number(field));

/** Without Git only names, sizes and times are known: how many lines changed is not. */
export function compareListings(before: Baseline, now: Baseline): ChangedFile[] {
  const unknown = { additions: BINARY, deletions: BINARY };
  const added = Object.keys(now).filter((name) => !Object.hasOwn(before, name));
  const deleted = Object.keys(before).filter((name) => !Object.hasOwn(now, name));
  const modified = Object.entries(now).filter(([name, file]) => {
    const old = before[name];
    return old !== undefined && (old.bytes !== file.bytes || seconds(old.mtimeMs) !== seconds(file.mtimeMs));
  });
  return [
    ...added.map((name): ChangedFile => ({ path: name, status: "added", ...unknown })),
    ...modified.map(([name]): ChangedFile => ({ path: name, status: "modified", ...unknown })),
    ...deleted.map((name): ChangedFile => ({ path: name, status: "deleted", ...unknown })),
  ]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .slice(0, MAX_CHANGED_FILES);
}

/** A snapshot keeps times in whole seconds. */
const seconds = (ms: number): number => Math.floor(ms / 1_000);
