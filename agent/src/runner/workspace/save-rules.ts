/** What of a workspace and of the agent's own folder is saved, and what is left out. Pure. */
import type { Verdict, WalkRules } from "./tree-walk.ts";

const MB = 1_048_576;
/** One file larger than this is data, not source. */
const MAX_FILE_BYTES = 100 * MB;
/** 64 parts of 32 MB, compressed; a tree above this is not a project any more. */
const MAX_TREE_BYTES = 4_096 * MB;
/** A folder used in place stays where it is: only a copy of moderate size is kept beside the conversation. */
const MAX_PATH_TREE_BYTES = 200 * MB;

const DEPENDENCIES = new Set(["node_modules", ".venv", "bower_components"]);
const CACHES = new Set([
  ".cache",
  "__pycache__",
  ".pytest_cache",
  ".mypy_cache",
  ".ruff_cache",
  ".turbo",
  ".parcel-cache",
  ".gradle",
  ".tsbuild",
  ".nyc_output",
]);
/** Build output, where the file beside it says which tool made it. */
const BUILD_OUTPUT = new Map([
  ["target", ["Cargo.toml", "pom.xml"]],
  [".next", ["package.json"]],
  ["venv", ["requirements.txt", "pyproject.toml", "setup.py"]],
]);

export function judgeWorkspace(_relativePath: string, name: string, isFolder: boolean, siblings: ReadonlySet<string>): Verdict {
  if (!isFolder) return "take";
  if (DEPENDENCIES.has(name)) return "dependencies";
  if (CACHES.has(name)) return "cache";
  const signs = BUILD_OUTPUT.get(name);
  return signs?.some((sign) => siblings.has(sign)) === true ? "cache" : "take";
}

export const WORKSPACE_RULES: WalkRules = { judge: judgeWorkspace, maxFileBytes: MAX_FILE_BYTES, maxTotalBytes: MAX_TREE_BYTES };

/** For a folder used in place: what Git would keep (`kept`), or everything by the ordinary rules; never its `.git`. */
export function pathRules(kept: ReadonlySet<string> | null): WalkRules {
  const folders = kept === null ? null : foldersOf(kept);
  return {
    judge(relativePath, name, isFolder, siblings) {
      if (name === ".git") return "skip";
      if (kept !== null && folders !== null) return (isFolder ? folders.has(relativePath) : kept.has(relativePath)) ? "take" : "skip";
      return judgeWorkspace(relativePath, name, isFolder, siblings);
    },
    maxFileBytes: MAX_FILE_BYTES,
    maxTotalBytes: MAX_PATH_TREE_BYTES,
  };
}

function foldersOf(files: ReadonlySet<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const file of files) {
    for (let at = file.lastIndexOf("/"); at > 0; at = file.lastIndexOf("/", at - 1)) folders.add(file.slice(0, at));
  }
  return folders;
}

/** Of the agent's folder: the conversation and its checkpoints. Never credentials; nothing tied to one process or machine. */
const AGENT_SKIPPED = new Set([
  ".credentials.json",
  "shell-snapshots",
  "session-env",
  "sessions",
  "debug",
  "cache",
  "statsig",
  "telemetry",
  "backups",
]);

export const AGENT_RULES: WalkRules = {
  judge: (relativePath, name) =>
    AGENT_SKIPPED.has(relativePath) || name === ".credentials.json" || name.endsWith(".lock") ? "skip" : "take",
  maxFileBytes: MAX_FILE_BYTES,
  maxTotalBytes: MAX_TREE_BYTES,
};

/** What changes although nothing that matters did: start counters, and Git's cache of file times. */
const RESTLESS = new Set([".git/index", ".claude.json", "history.jsonl", ".claude.json.backup"]);
export const isRestless = (relativePath: string): boolean => RESTLESS.has(relativePath);
