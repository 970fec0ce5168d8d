/**
 * Saves the workspace and the conversation as one snapshot: listed, packed, uploaded. The session makes it the head.
 * A save that fails at any point leaves the head, and this disk, as they were (SPEC SN2).
 */
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Problem } from "@ai-dev-platform/protocol/events";
import { formatId, ID_RANDOM_BYTES } from "@ai-dev-platform/protocol/ids";
import { MAX_INHERITED_PARTS, MAX_SNAPSHOT_PARTS } from "@ai-dev-platform/protocol/limits";
import { SNAPSHOT_FORMAT, type DependencyLayer, type LeftOut, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import type { DependencyLayers } from "./dependencies/layers.ts";
import { fingerprint } from "./fingerprint.ts";
import { exists } from "./fresh.ts";
import { listForSave, type Listings } from "./listing.ts";
import { splitPackName } from "@ai-dev-platform/protocol/packs/pack-name";
import { MAX_LEFT_OUT, savePack, type Packed } from "./packs/save-pack.ts";
import { treeSize, type TreeIndex } from "./packs/tree-index.ts";
import type { Prepared } from "./prepare.ts";
import { problem } from "./problem.ts";
import { foldLog, logSave } from "./saved-index.ts";
import { sendParts, type Remote } from "./transfer.ts";
import { writeState } from "./workspace-state.ts";

export type SaveResult = { ok: true; snapshot: SnapshotRef } | { ok: false; reason: "unchanged" | "failed"; problem?: Problem };

export class Saver {
  readonly #remote: Remote;
  readonly #stateDir: string;
  readonly #prepared: Prepared;
  readonly #layers: DependencyLayers;
  #leftOut: readonly LeftOut[] = [];
  #pending: { fingerprint: string; index: TreeIndex } | null = null;
  /** Saves run one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(remote: Remote, stateDir: string, prepared: Prepared, layers: DependencyLayers) {
    this.#remote = remote;
    this.#stateDir = stateDir;
    this.#prepared = prepared;
    this.#layers = layers;
  }

  /** By the newest look at the files. */
  get leftOut(): readonly LeftOut[] {
    return this.#leftOut;
  }

  async hasChanged(): Promise<boolean> {
    if (this.#layers.hasNews) return true;
    const listings = await this.#list();
    return fingerprint(listings.workspace, listings.agent) !== this.#prepared.state.fingerprint;
  }

  /** `isLast`: nothing follows for long, so that what was stored of the dependencies is named even if nothing else changed. */
  save(isLast: boolean): Promise<SaveResult> {
    const next = this.#last.then(() => this.#save(isLast));
    this.#last = next.catch(() => {});
    return next;
  }

  /** The session made it the head. Another id than the newest save's is an old answer and changes nothing. */
  async markCommitted(snapshotId: string): Promise<void> {
    if (this.#pending?.index.snapshotId !== snapshotId) return;
    const { state } = this.#prepared;
    this.#prepared.index = this.#pending.index;
    this.#prepared.state = { ...state, snapshotId, pendingSnapshotId: null, fingerprint: this.#pending.fingerprint };
    this.#pending = null;
    this.#layers.committed(snapshotId);
    await writeState(this.#stateDir, this.#prepared.state);
    await foldLog(this.#stateDir, this.#prepared.index);
  }

  #list(): Promise<Listings> {
    return listForSave(this.#prepared.tree, this.#prepared.claudeDir);
  }

  async #save(isLast: boolean): Promise<SaveResult> {
    if (!(await exists(this.#prepared.tree.root))) return failed("unavailable", "the workspace folder is gone");
    const listings = await this.#list();
    const mark = fingerprint(listings.workspace, listings.agent);
    this.#leftOut = listings.workspace.leftOut;
    if (mark === this.#prepared.state.fingerprint) return this.#unchanged(mark, isLast);
    const snapshotId = formatId("snapshot", randomBytes(ID_RANDOM_BYTES));
    const outgoing = path.join(this.#stateDir, "outgoing");
    try {
      const packed = await this.#pack(snapshotId, listings, outgoing);
      if (packed.isUnchanged) return await this.#unchanged(mark, isLast);
      if (packed.packs.length > MAX_SNAPSHOT_PARTS) return failed("too_large", "the files are too many or too large to save");
      const sent = await sendParts(this.#remote, snapshotId, packed.packs);
      if (!sent.ok) return failed(sent.isFull ? "quota_exceeded" : "unavailable", sent.detail);
      return { ok: true, snapshot: await this.#handOver(mark, packed) };
    } catch (error) {
      return failed("internal", error instanceof Error ? error.message : String(error));
    } finally {
      await rm(outgoing, { recursive: true, force: true });
    }
  }

  /** Contents are as the head has them; times may have been touched. */
  async #unchanged(mark: string, isLast: boolean): Promise<SaveResult> {
    const { state, index } = this.#prepared;
    if (mark !== state.fingerprint) {
      this.#prepared.state = { ...state, fingerprint: mark };
      await writeState(this.#stateDir, this.#prepared.state);
    }
    if (!isLast || index === null || !this.#layers.hasNews || !canStandAgain(index)) return { ok: false, reason: "unchanged" };
    return { ok: true, snapshot: await this.#handOver(mark, sameAgain(index, this.#leftOut)) };
  }

  /** All is stored; the session says whether it becomes the head. */
  async #handOver(mark: string, packed: Stored): Promise<SnapshotRef> {
    const { snapshotId } = packed.index;
    const dependencies = await this.#layers.offer(snapshotId);
    this.#pending = { fingerprint: mark, index: packed.index };
    await logSave(this.#stateDir, packed.change, packed.index);
    this.#prepared.state = { ...this.#prepared.state, pendingSnapshotId: snapshotId };
    await writeState(this.#stateDir, this.#prepared.state);
    return this.#reference(packed, dependencies);
  }

  async #pack(snapshotId: string, listings: Listings, outgoing: string): Promise<Packed> {
    const { tree, claudeDir, state, index } = this.#prepared;
    await rm(outgoing, { recursive: true, force: true });
    await mkdir(outgoing, { recursive: true, mode: 0o700 });
    return savePack({
      snapshotId,
      workspace: { root: tree.root, listing: listings.workspace },
      agent: { root: claudeDir, listing: listings.agent },
      meta: JSON.stringify({ origin: state.origin }),
      into: outgoing,
      previous: index,
      now: Date.now(),
    });
  }

  #reference({ index, packs, inherited, treeBytes, treeFiles, leftOut }: Stored, dependencies: DependencyLayer[]): SnapshotRef {
    const saved = new Set(dependencies.map(({ path: folder }) => folder));
    return {
      snapshotId: index.snapshotId,
      parentId: this.#prepared.state.snapshotId,
      format: SNAPSHOT_FORMAT,
      parts: packs.map(({ bytes, sha256 }) => ({ bytes, sha256 })),
      inherited: inherited.map(({ name, bytes, sha256 }) => ({ ...splitPackName(name), bytes, sha256 })),
      dependencies,
      treeBytes,
      treeFiles,
      leftOut: leftOut.filter((each) => !saved.has(each.path)).map(shown),
    };
  }
}

/** As long as a reference may name it; a folder that is deeper than that is known by its beginning. */
const MAX_LEFT_OUT_CHARS = 4_096;
const shown = ({ path, reason }: LeftOut): LeftOut => ({ path: path.slice(0, MAX_LEFT_OUT_CHARS), reason });

type Stored = Pick<Packed, "packs" | "inherited" | "treeBytes" | "treeFiles" | "leftOut" | "index" | "change">;

/** Read from these packs alone. */
const canStandAgain = ({ packs }: TreeIndex): boolean =>
  packs.length <= MAX_INHERITED_PARTS && packs.some(({ manifest }) => manifest === "full");

/** The head's files and conversation under another name. */
function sameAgain(index: TreeIndex, leftOut: readonly LeftOut[]): Stored {
  const snapshotId = formatId("snapshot", randomBytes(ID_RANDOM_BYTES));
  const { bytes, files } = treeSize(index.layers.src);
  const nothing = { set: [], gone: [] };
  return {
    packs: [],
    inherited: index.packs,
    treeBytes: bytes,
    treeFiles: files,
    leftOut: leftOut.slice(0, MAX_LEFT_OUT),
    index: { ...index, snapshotId },
    change: { snapshotId, parentId: index.snapshotId, packs: index.packs, agent: nothing, src: nothing },
  };
}

const failed = (code: "unavailable" | "quota_exceeded" | "too_large" | "internal", detail: string): SaveResult => ({
  ok: false,
  reason: "failed",
  problem: problem(code, detail),
});
