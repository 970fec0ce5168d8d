/**
 * Questions about saved states, answered from storage (SPEC SN10). The tables of the states that were asked for last are
 * held for as long as the asking object lives, up to a size; files are read anew each time.
 */
import { MAX_FILE_VIEW_BYTES } from "@ai-dev-platform/protocol/limits";
import { bytesOf, type SavedEntry } from "@ai-dev-platform/protocol/packs/manifest";
import type { QueryResult } from "@ai-dev-platform/protocol/queries";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { MAX_FOUND, plainPath, rankPaths } from "@ai-dev-platform/protocol/workspace-view";
import type { SavedAnswer, SavedFiles, SavedLook } from "../session/ports.ts";
import { BlockReader } from "./block-reader.ts";
import { compareTrees, fileAt, isExecutable, isInRepository, NO_ENTRIES } from "./differences.ts";
import { r2PackStore, Unreadable, type PackStore } from "./pack-store.ts";
import { childrenOf, follow } from "./saved-paths.ts";
import { MAX_TABLE_BYTES, readSavedTree, type SavedTree } from "./saved-tree.ts";
import { unifiedPatch, type Side } from "./unified-patch.ts";

/** Two states, to be compared. */
const HELD_TREES = 2;

export const r2SavedFiles = (bucket: R2Bucket): SavedFiles => savedFiles((sessionId) => r2PackStore(bucket, sessionId));

export function savedFiles(storeOf: (sessionId: string) => PackStore): SavedFiles {
  const trees = new HeldTrees(storeOf);
  const read = (sessionId: string, ref: SnapshotRef | null) => (ref === null ? null : trees.read(sessionId, ref));
  return {
    look: (sessionId, snapshot, query) => answered(async () => look(await trees.read(sessionId, snapshot), query)),
    changes: (sessionId, from, to) =>
      answered(async () => {
        const [before, after] = [await read(sessionId, from), await trees.read(sessionId, to)];
        const differences = compareTrees(before?.entries ?? NO_ENTRIES, after.entries);
        const ends = { fromId: from?.snapshotId ?? null, toId: to.snapshotId };
        return { ok: true, result: { kind: "snapshot_changes", ...ends, ...differences } };
      }),
    patch: (sessionId, from, to, path) =>
      answered(async () => {
        const [before, after] = [await read(sessionId, from), await trees.read(sessionId, to)];
        return patch(before, after, path);
      }),
  };
}

type Kind = QueryResult["kind"];
type Refusal = Extract<SavedAnswer, { ok: false }>;
type Result<K extends Kind> = Extract<QueryResult, { kind: K }>;

async function answered<K extends Kind>(read: () => Promise<SavedAnswer<K>>): Promise<SavedAnswer<K>> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, code: error.code, detail: error.message };
    throw error;
  }
}

const refuse = (code: "forbidden" | "not_found" | "too_large", detail: string): Refusal => ({ ok: false, code, detail });
const NOT_IN_WORKSPACE = refuse("forbidden", "that path is not in the workspace");
const NOT_SAVED = refuse("not_found", "there is no such file or folder in the saved state");

class HeldTrees {
  readonly #storeOf: (sessionId: string) => PackStore;
  readonly #held = new Map<string, Promise<SavedTree>>();

  constructor(storeOf: (sessionId: string) => PackStore) {
    this.#storeOf = storeOf;
  }

  async read(sessionId: string, snapshot: SnapshotRef): Promise<SavedTree> {
    const key = `${sessionId}/${snapshot.snapshotId}`;
    const reading = this.#held.get(key) ?? readSavedTree(this.#storeOf(sessionId), snapshot);
    this.#held.delete(key);
    this.#held.set(key, reading);
    const oldest = this.#held.keys().next();
    if (this.#held.size > HELD_TREES && oldest.done !== true) this.#held.delete(oldest.value);
    try {
      const tree = await reading;
      // Two large ones together would be too much: the next question reads again.
      if (tree.tableBytes > MAX_TABLE_BYTES / 2) this.#held.delete(key);
      return tree;
    } catch (error) {
      this.#held.delete(key);
      throw error;
    }
  }
}

async function look(tree: SavedTree, query: SavedLook): Promise<SavedAnswer<SavedLook["kind"]>> {
  if (query.kind === "find") return { ok: true, result: { kind: "find", paths: rankPaths(visiblePaths(tree), query.text, MAX_FOUND) } };
  const path = plainPath(query.path);
  if (path === null) return NOT_IN_WORKSPACE;
  const found = follow(tree.entries, path);
  if (found === null) return NOT_SAVED;
  const { entry } = found;
  if (entry?.kind === "file") return query.kind === "file" ? { ok: true, result: await viewOf(tree, path, entry) } : NOT_SAVED;
  return query.kind === "tree" ? { ok: true, result: { kind: "tree", path, ...childrenOf(tree.entries, found.path) } } : NOT_SAVED;
}

async function viewOf(tree: SavedTree, path: string, entry: SavedEntry): Promise<Result<"file">> {
  const bytes = bytesOf(entry);
  const truncated = bytes > MAX_FILE_VIEW_BYTES;
  return { kind: "file", path, bytes, text: asText(await beginning(tree, entry, MAX_FILE_VIEW_BYTES), truncated), truncated };
}

function visiblePaths({ entries }: SavedTree): string[] {
  const paths: string[] = [];
  for (const [path, { kind }] of entries) if (kind !== "folder" && !isInRepository(path)) paths.push(path);
  return paths;
}

/** At most so many bytes, and only the blocks that they lie in. */
async function beginning(tree: SavedTree, entry: SavedEntry, maxBytes: number): Promise<Uint8Array> {
  let needed = 0;
  const chunks = entry.chunks.filter((chunk) => {
    const isNeeded = needed < maxBytes;
    needed += chunk.bytes;
    return isNeeded;
  });
  const reader = new BlockReader(tree, [{ ...entry, chunks }]);
  const content = new Uint8Array(Math.min(needed, maxBytes));
  let at = 0;
  for await (const piece of chunks.length < entry.chunks.length ? reader.pieces(chunks) : reader.content(entry)) {
    content.set(piece.subarray(0, content.length - at), at);
    at += Math.min(piece.length, content.length - at);
  }
  return content;
}

/** Null for what is not text. A cut in the middle of a character is no reason to call it binary. */
function asText(content: Uint8Array, isCut: boolean): string | null {
  if (content.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content, { stream: isCut });
  } catch {
    return null;
  }
}

async function patch(before: SavedTree | null, after: SavedTree, wanted: string): Promise<SavedAnswer<"snapshot_patch">> {
  const path = plainPath(wanted);
  if (path === null || isInRepository(path)) return NOT_IN_WORKSPACE;
  const [old, now] = [before === null ? null : fileAt(before.entries, path), fileAt(after.entries, path)];
  if (old === null && now === null) return NOT_SAVED;
  if (Math.max(old === null ? 0 : bytesOf(old), now === null ? 0 : bytesOf(now)) > MAX_FILE_VIEW_BYTES)
    return refuse("too_large", "this file is too large to be compared here");
  const [from, to] = [await sideOf(before, old), await sideOf(after, now)];
  return { ok: true, result: { kind: "snapshot_patch", path, ...unifiedPatch(path, from, to) } };
}

async function sideOf(tree: SavedTree | null, entry: SavedEntry | null): Promise<Side | null> {
  if (tree === null || entry === null) return null;
  if (entry.kind === "link") return { text: entry.target, mode: "120000" };
  const text = asText(await beginning(tree, entry, MAX_FILE_VIEW_BYTES), false);
  return { text, mode: isExecutable(entry) ? "100755" : "100644" };
}
