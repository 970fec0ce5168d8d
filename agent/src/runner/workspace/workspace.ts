/**
 * A session's files and the agent's own folder on this computer: prepared once, asked, saved.
 * It owns what lies in the state folder beside the outbox; it does not know the agent or the link. A workspace exists only
 * when its preparation was completed, so that nothing half-restored can ever be saved (SPEC SN2, SN4).
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { ChangedFile, Problem } from "@ai-dev-platform/protocol/events";
import type { Query, QueryResult } from "@ai-dev-platform/protocol/queries";
import type { WorkspaceSource } from "@ai-dev-platform/protocol/runner";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { plainPath } from "@ai-dev-platform/protocol/workspace-view";
import { allowedPathsFrom } from "./allowed-paths.ts";
import { DependencyLayers, type DependenciesRestored } from "./dependencies/layers.ts";
import { changedFiles, patchOf, type Changes } from "./changes.ts";
import { ExecutionMarks } from "./execution-marks.ts";
import { findPaths, readFileView, readFolder } from "./files.ts";
import { prepare, type OnProgress, type Prepared } from "./prepare.ts";
import { problem } from "./problem.ts";
import { Saver, type SaveResult } from "./save.ts";

export interface WorkspaceOptions {
  server: string;
  linkToken: string;
  sessionId: string;
  stateDir: string;
  source: WorkspaceSource;
  /** Newest first; the first is the session's head. */
  snapshots: readonly SnapshotRef[];
  onProgress: OnProgress;
  /** Folders below which one may be opened in place; by default what the machine allows. */
  allowedPaths?: readonly string[];
  retryPauseMs?: number;
}

export interface QueryRefusal {
  code: ErrorCode;
  detail: string;
}

export interface Workspace {
  root: string;
  claudeDir: string;
  /** It came from storage just now. */
  isRestored: boolean;
  /** What people are to be told of how it was prepared. */
  warning: string | null;
  answer(query: Query): Promise<QueryResult | QueryRefusal>;
  changedFiles(): Promise<Changes>;
  hasChangedSinceSave(): Promise<boolean>;
  /** Uploads all parts; the session then commits. Answers `unchanged` when the head holds all of it. */
  save(options: { asked: boolean; isLast?: boolean }): Promise<SaveResult>;
  markCommitted(snapshotId: string): Promise<void>;
  /** Stores installed dependencies that changed, to be named by the next save. In the background of everything else. */
  saveDependencies(): Promise<void>;
  /** Brings back what was installed; the rest of the workspace is in use meanwhile. */
  restoreDependencies(): Promise<DependenciesRestored>;
  /** Before a program runs: remembers the tree and writes its files. The path that was refused; null: all are written. */
  beginExecution(executionId: string, files: Readonly<Record<string, string>>): Promise<string | null>;
  /** What differs since. */
  endExecution(executionId: string): Promise<ChangedFile[]>;
}

export type OpenWorkspace = { ok: true; workspace: Workspace } | { ok: false; problem: Problem };

export async function openWorkspace(options: WorkspaceOptions): Promise<OpenWorkspace> {
  try {
    return await openPrepared(options);
  } catch (error) {
    // A full disk, a folder without permission: nothing of the kind is foreseen one by one.
    return { ok: false, problem: problem("internal", error instanceof Error ? error.message : String(error)) };
  }
}

async function openPrepared(options: WorkspaceOptions): Promise<OpenWorkspace> {
  const { server, sessionId, linkToken, retryPauseMs } = options;
  const remote = { server, sessionId, linkToken, ...(retryPauseMs === undefined ? {} : { retryPauseMs }) };
  const prepared = await prepare({
    remote,
    stateDir: options.stateDir,
    source: options.source,
    snapshots: options.snapshots,
    allowedPaths: options.allowedPaths ?? allowedPathsFrom(process.env),
    onProgress: options.onProgress,
  });
  if (!prepared.ok) return prepared;
  const { tree } = prepared.prepared;
  const place = { remote, stateDir: options.stateDir, root: tree.root, isKept: tree.isInPlace };
  const layers = await DependencyLayers.open(place, options.snapshots[0]?.dependencies ?? []);
  const saver = new Saver(remote, options.stateDir, prepared.prepared, layers);
  return { ok: true, workspace: makeWorkspace(prepared.prepared, saver, layers, options.onProgress) };
}

function makeWorkspace(prepared: Prepared, saver: Saver, layers: DependencyLayers, onProgress: OnProgress): Workspace {
  const marks = new ExecutionMarks(prepared.tree, () => prepared.state.origin);
  return {
    root: prepared.tree.root,
    claudeDir: prepared.claudeDir,
    isRestored: prepared.isRestored,
    warning: prepared.warning,
    answer: (query) => answer(prepared, query),
    changedFiles: () => changedFiles(prepared.tree, prepared.state.origin),
    hasChangedSinceSave: () => saver.hasChanged(),
    save: ({ isLast = false }) => saver.save(isLast),
    markCommitted: (snapshotId) => saver.markCommitted(snapshotId),
    saveDependencies: () => layers.save(saver.leftOut),
    restoreDependencies: () => layers.restore((detail) => onProgress("dependencies", detail)),
    beginExecution: (executionId, files) => marks.begin(executionId, files),
    endExecution: (executionId) => marks.end(executionId),
  };
}

async function answer(prepared: Prepared, query: Query): Promise<QueryResult | QueryRefusal> {
  const { tree, state } = prepared;
  if (query.kind === "changes") return { kind: "changes", ...(await changedFiles(tree, state.origin)) };
  if (query.kind === "find") return findPaths(tree, query.text);
  if (query.kind === "mcp") return { code: "bad_request", detail: "the agent, not the workspace, knows its MCP servers" };
  if (query.kind === "runner_log" || query.kind === "timeline" || query.kind === "snapshot_changes" || query.kind === "snapshot_patch")
    return { code: "bad_request", detail: "the session, not the workspace, answers this" };
  const plain = plainPath(query.path);
  if (plain === null) return { code: "forbidden", detail: "that path is not in the workspace" };
  if (query.kind === "patch") {
    const patch = await patchOf(tree, state.origin, plain);
    return patch === null ? { code: "not_found", detail: "nothing has changed there" } : { kind: "patch", path: plain, ...patch };
  }
  const found = await (query.kind === "tree" ? readFolder(tree, plain) : readFileView(tree, plain));
  return found ?? { code: "not_found", detail: "there is no such file or folder in the workspace" };
}
