/** Makes a workspace that has no snapshot yet: an empty repository, a clone, an uploaded archive, or a folder of this machine in place. */
import { access, mkdir, mkdtemp, realpath, rename, stat } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import type { Problem } from "@ai-dev-platform/protocol/events";
import { httpsForm } from "@ai-dev-platform/protocol/repository";
import type { WorkspaceSource } from "@ai-dev-platform/protocol/runner";
import { fetchImport } from "./archive/fetch-import.ts";
import { unpackArchive } from "./archive/unpack.ts";
import { git, type GitRun } from "./git.ts";
import { viaServer, type GitServer } from "./git-server.ts";
import { problem } from "./problem.ts";
import { removeTree } from "./remove-tree.ts";
import type { Remote } from "./transfer.ts";

export type Fresh = { ok: true } | { ok: false; problem: Problem };

const CLONE_TIMEOUT_MS = 5 * 60_000;
/** Some 200,000 files on a slow disk. */
const ADD_TIMEOUT_MS = 5 * 60_000;
const IDENTITY = ["-c", "user.name=AI Dev Platform", "-c", "user.email=noreply@localhost", "-c", "commit.gpgSign=false"];
/** Whoever asked for a folder in place names it; these are never a project. */
const SYSTEM_FOLDERS = [
  "/bin",
  "/boot",
  "/dev",
  "/etc",
  "/lib",
  "/lib64",
  "/proc",
  "/run",
  "/sbin",
  "/sys",
  "/usr",
  "/var",
  "/System",
  "/Library",
];
const HIDDEN_HOME_FOLDERS = [".ssh", ".gnupg", ".aws", ".config", ".claude", ".kube", ".docker", ".local"];

/** Builds the workspace under another name and renames it into place, so that half a clone is never taken for one. */
export async function makeFresh(
  source: WorkspaceSource,
  root: string,
  building: string,
  remote: Remote,
  onProgress: (detail: string) => void,
): Promise<Fresh> {
  if (source.kind === "path") return { ok: true };
  await removeTree(building);
  const made = await build(source, building, remote, onProgress);
  if (!made.ok) {
    await removeTree(building);
    return made;
  }
  await rename(building, root);
  return { ok: true };
}

function build(
  source: Exclude<WorkspaceSource, { kind: "path" }>,
  folder: string,
  remote: Remote,
  onProgress: (detail: string) => void,
): Promise<Fresh> {
  switch (source.kind) {
    case "empty":
      return initEmpty(folder);
    case "git":
      return clone(source.url, source.branch, folder, remote, onProgress);
    case "archive":
      return unpackImport(source, folder, remote, onProgress);
  }
}

async function initEmpty(folder: string): Promise<Fresh> {
  await mkdir(folder, { recursive: true });
  const made = await git(["init", "-q", "-b", "main"], { cwd: folder });
  if (!made.ok) return made.reason === "missing" ? { ok: true } : { ok: false, problem: problem("workspace_git_failed", made.lastLine) };
  await firstCommit(folder, "Start");
  return { ok: true };
}

const firstCommit = (folder: string, message: string) =>
  git([...IDENTITY, "commit", "-q", "--allow-empty", "-m", message], { cwd: folder, timeoutMs: ADD_TIMEOUT_MS });

type ArchiveSource = Extract<WorkspaceSource, { kind: "archive" }>;

/** The archive lies beside the folder, in one that a killed runner's successor removes. */
async function unpackImport(
  { format, name }: ArchiveSource,
  folder: string,
  remote: Remote,
  onProgress: (detail: string) => void,
): Promise<Fresh> {
  const incoming = await mkdtemp(path.join(path.dirname(folder), "incoming-"));
  try {
    onProgress(`Fetching ${name}`);
    const file = path.join(incoming, "archive");
    const fetched = await fetchImport(remote, file);
    if (!fetched.ok)
      return { ok: false, problem: problem(fetched.reason === "missing" ? "import_missing" : "unavailable", fetched.detail) };
    onProgress(`Unpacking ${name}`);
    const unpacked = await unpackArchive(file, format, folder);
    if (!unpacked.ok) return { ok: false, problem: problem("archive_refused", unpacked.reason) };
    if (unpacked.gitEntries > 0) onProgress("The archive's .git was left out: its history begins anew here.");
    return await commitImport(folder, name);
  } finally {
    await removeTree(incoming);
  }
}

/** What came in is the first commit, so that changes are measured against it. Without git there are files all the same. */
async function commitImport(folder: string, name: string): Promise<Fresh> {
  const made = await git(["init", "-q", "-b", "main"], { cwd: folder });
  if (!made.ok) return made.reason === "missing" ? { ok: true } : { ok: false, problem: problem("workspace_git_failed", made.lastLine) };
  await git(["add", "--all"], { cwd: folder, timeoutMs: ADD_TIMEOUT_MS });
  await firstCommit(folder, `Import ${name}`);
  return { ok: true };
}

/** As this machine reaches it; else over https and by the server, which may know a login for it: a sandbox has no ssh. */
async function clone(
  url: string,
  branch: string | null,
  folder: string,
  server: GitServer,
  onProgress: (detail: string) => void,
): Promise<Fresh> {
  // "--upload-pack=…" would be an option, and "ext::…" a command.
  if (url.startsWith("-") || /^\w+::/.test(url))
    return { ok: false, problem: problem("workspace_git_failed", "this kind of address is not accepted") };
  const isLocal = url.startsWith("file://") || path.isAbsolute(url);
  const branchArgs = branch === null ? [] : ["--branch", branch];
  const argsFor = (address: string) => ["clone", "--progress", "--no-recurse-submodules", ...branchArgs, "--", address, folder];
  const run: GitRun = { cwd: path.dirname(folder), timeoutMs: CLONE_TIMEOUT_MS, allowFileProtocol: isLocal, onProgress };
  let cloned = await git(argsFor(url), run);
  const https = httpsForm(url);
  const settings = viaServer(https, server);
  if (!cloned.ok && cloned.reason === "failed" && (settings !== null || https !== url)) {
    await removeTree(folder);
    cloned = await git(argsFor(https), settings === null ? run : { ...run, settings });
  }
  if (cloned.ok) return { ok: true };
  return { ok: false, problem: problem(cloned.reason === "missing" ? "workspace_git_missing" : "workspace_git_failed", cloned.lastLine) };
}

export type Located = { ok: true; root: string } | { ok: false; problem: Problem };

/** The real folder behind a path that is to be opened in place, or why it may not be. */
export async function locatePath(wanted: string, allowed: readonly string[]): Promise<Located> {
  const refused = (detail: string): Located => ({ ok: false, problem: problem("workspace_path_refused", detail) });
  const home = await realpath(homedir());
  const expanded = wanted === "~" || wanted.startsWith("~/") ? path.join(home, wanted.slice(1)) : wanted;
  if (!path.isAbsolute(expanded)) return refused("give the whole path, from / or ~/");
  const root = await realpath(expanded).catch(() => null);
  if (root === null || !(await isFolder(root))) return { ok: false, problem: problem("workspace_path_missing", wanted) };
  if (root === "/" || isWithin(home, root)) return refused("that is not a project folder");
  const roots = await Promise.all(allowed.map((folder) => realpath(folder).catch(() => null)));
  const by = roots.filter((folder) => folder !== null && isWithin(root, folder));
  if (by.length === 0) return refused(isSystemFolder(root) ? "that is a system folder" : "this machine does not open folders there");
  const isOnlyByHome = by.every((folder) => folder === home);
  if (isOnlyByHome && HIDDEN_HOME_FOLDERS.includes(path.relative(home, root).split(path.sep)[0] ?? ""))
    return refused("that folder holds settings and secrets");
  return { ok: true, root };
}

/** Whether `inner` is `outer` or below it. */
export function isWithin(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner);
  return relative === "" || (!relative.startsWith(`..${path.sep}`) && relative !== ".." && !path.isAbsolute(relative));
}

const isSystemFolder = (folder: string): boolean => SYSTEM_FOLDERS.some((system) => isWithin(folder, system));

const isFolder = (folder: string): Promise<boolean> =>
  stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );

export const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
