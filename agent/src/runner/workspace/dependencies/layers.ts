/**
 * The folders of installed dependencies of one workspace, each saved as a chain of packs of its own (SPEC SN9): after a
 * save, in the background, when an installer was at work; named by the next commit; brought back in the background of a
 * wake. Owns which layers the next snapshot names. Nothing here may fail or delay a save or a start.
 */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { formatId, ID_RANDOM_BYTES } from "@ai-dev-platform/protocol/ids";
import { MAX_DEPENDENCY_LAYERS } from "@ai-dev-platform/protocol/limits";
import { splitPackName } from "@ai-dev-platform/protocol/packs/pack-name";
import type { DependencyLayer, LeftOut } from "@ai-dev-platform/protocol/snapshot";
import { savePack } from "../packs/save-pack.ts";
import type { TreeIndex } from "../packs/tree-index.ts";
import { removeTree } from "../remove-tree.ts";
import { sendParts, type Remote } from "../transfer.ts";
import { isDependencyFolder, keyOf, markOf } from "./folders.ts";
import { listLayer } from "./list-layer.ts";
import { readLayerIndex, readNotes, writeLayerIndex, writeNotes, type Notes } from "./notes.ts";
import { restoreLayer } from "./restore-layer.ts";

/** Of one layer, what it builds on included. */
const MAX_LAYER_PARTS = 60;
const NO_AGENT = { root: "", listing: { entries: [], leftOut: [], bytes: 0, files: 0 } };

export interface LayersPlace {
  remote: Remote;
  stateDir: string;
  root: string;
  /** A folder used in place keeps its dependencies by itself. */
  isKept: boolean;
}

export interface DependenciesRestored {
  restored: number;
  missing: { path: string; detail: string }[];
}

export class DependencyLayers {
  readonly #place: LayersPlace;
  readonly #notes: Notes;
  /** What the head names. */
  #committed: readonly DependencyLayer[];
  /** Stored, and to be named by the next commit. */
  readonly #fresh = new Map<string, DependencyLayer>();
  #offered: { snapshotId: string; layers: readonly DependencyLayer[] } | null = null;
  #saving: Promise<void> | null = null;

  private constructor(place: LayersPlace, notes: Notes, committed: readonly DependencyLayer[]) {
    this.#place = place;
    this.#notes = notes;
    this.#committed = committed;
  }

  /** `committed`: what the head names. */
  static async open(place: LayersPlace, committed: readonly DependencyLayer[]): Promise<DependencyLayers> {
    return new DependencyLayers(place, await readNotes(place.stateDir), committed);
  }

  /** Whether a snapshot made now would name other layers than the head does. */
  get hasNews(): boolean {
    return this.#fresh.size > 0;
  }

  /** What the snapshot is to name. */
  async offer(snapshotId: string): Promise<DependencyLayer[]> {
    // A commit that was never heard of again may have been refused for what it named: it is not named twice.
    if (this.#offered !== null) this.#forgetFresh();
    const layers: DependencyLayer[] = [];
    for (const layer of new Map([...this.#committed, ...this.#fresh.values()].map((each) => [each.path, each])).values())
      if (await this.#isGood(layer)) layers.push(layer);
    const offered = layers.slice(0, MAX_DEPENDENCY_LAYERS);
    this.#offered = { snapshotId, layers: offered };
    return offered;
  }

  committed(snapshotId: string): void {
    if (this.#offered?.snapshotId !== snapshotId) return;
    for (const layer of this.#offered.layers) if (this.#fresh.get(layer.path) === layer) this.#fresh.delete(layer.path);
    this.#committed = this.#offered.layers;
    this.#offered = null;
  }

  /** Stores what an installer has changed. One at a time; whoever asks meanwhile waits for that one. */
  save(leftOut: readonly LeftOut[]): Promise<void> {
    this.#saving ??= this.#save(leftOut).finally(() => (this.#saving = null));
    return this.#saving;
  }

  /** Brings back what is wanted. Never throws. */
  async restore(onProgress: (detail: string) => void): Promise<DependenciesRestored> {
    const result: DependenciesRestored = { restored: 0, missing: [] };
    for (const layer of this.#notes.wanted) {
      const tell = throttled((files) => onProgress(`${layer.path}: ${files} of ${layer.treeFiles} files`));
      const done = await restoreLayer(this.#place, layer, tell);
      if (done.outcome === "restored") {
        await this.#remember(layer.path, layer.key, done.index);
        result.restored += 1;
      } else if (done.outcome !== "there") result.missing.push({ path: layer.path, detail: done.detail });
      this.#notes.wanted = this.#notes.wanted.filter((each) => each !== layer);
      await writeNotes(this.#place.stateDir, this.#notes).catch(() => undefined);
    }
    return result;
  }

  #forgetFresh(): void {
    for (const { path: folder } of this.#fresh.values()) delete this.#notes.marks[folder];
    this.#fresh.clear();
  }

  /** One that is installed here must be what it says; one that is not may be good elsewhere. */
  async #isGood(layer: DependencyLayer): Promise<boolean> {
    const { root } = this.#place;
    const mark = await markOf(root, layer.path);
    return mark === null ? this.#isMissed(layer) : (await keyOf(root, layer.path)) === layer.key;
  }

  /** Not installed here: on its way, or for another platform. One that somebody removed is not missed. */
  #isMissed(layer: DependencyLayer): boolean {
    return this.#notes.wanted.some((each) => each.path === layer.path) || this.#notes.marks[layer.path] === undefined;
  }

  async #save(leftOut: readonly LeftOut[]): Promise<void> {
    if (this.#place.isKept) return;
    const folders = leftOut.filter(({ path: name, reason }) => reason === "dependencies" && isDependencyFolder(name));
    // The project's own come first, those of a package in it later.
    const nearest = folders.map((each) => each.path).toSorted((a, b) => a.split("/").length - b.split("/").length);
    for (const folder of nearest.slice(0, MAX_DEPENDENCY_LAYERS)) {
      const [key, mark] = await Promise.all([keyOf(this.#place.root, folder), markOf(this.#place.root, folder)]);
      const known = this.#notes.marks[folder];
      if (key === null || mark === null || (known?.key === key && known.mark === mark)) continue;
      await this.#saveFolder(folder, key, mark);
    }
  }

  async #saveFolder(folder: string, key: string, mark: string): Promise<void> {
    const { stateDir, root, remote } = this.#place;
    const listed = await listLayer(root, folder);
    // Not a second time for the same: it would not fit then, either.
    if (listed === null) return this.#note(folder, key, mark);
    const outgoing = path.join(stateDir, "outgoing-dependencies");
    try {
      await removeTree(outgoing);
      await mkdir(outgoing, { mode: 0o700 });
      const snapshotId = formatId("snapshot", randomBytes(ID_RANDOM_BYTES));
      const previous = await this.#previous(folder);
      const packed = await savePack({
        snapshotId,
        workspace: { root: path.join(root, folder), listing: listed.listing },
        agent: NO_AGENT,
        meta: JSON.stringify({ interpreters: listed.interpreters }),
        into: outgoing,
        previous,
        now: Date.now(),
      });
      const index = packed.isUnchanged && previous !== null ? previous : packed.index;
      const parts = index.packs.map(({ name, bytes, sha256 }) => ({ ...splitPackName(name), bytes, sha256 }));
      // Files came and went while they were read, or it is too much: the installer is still at work, or this is no layer.
      const isWhole = packed.leftOut.length === 0 && (await markOf(root, folder)) === mark && (await keyOf(root, folder)) === key;
      if (!isWhole || parts.length > MAX_LAYER_PARTS) return;
      const sent = index === previous ? { ok: true } : await sendParts(remote, snapshotId, packed.packs);
      if (!sent.ok) return;
      const { treeBytes, treeFiles } = packed;
      this.#fresh.set(folder, { path: folder, key, parts, treeBytes, treeFiles });
      await this.#remember(folder, key, index);
    } finally {
      await removeTree(outgoing);
    }
  }

  /** Only on packs that the head names: others may have been swept away by now. */
  async #previous(folder: string): Promise<TreeIndex | null> {
    const index = await readLayerIndex(this.#place.stateDir, folder);
    const named = new Set(
      this.#committed.find((each) => each.path === folder)?.parts.map(({ snapshotId, part }) => `${snapshotId}/${part}`),
    );
    return index !== null && index.packs.every(({ name }) => named.has(name)) && index.packs.length < MAX_LAYER_PARTS / 2 ? index : null;
  }

  async #remember(folder: string, key: string, index: TreeIndex): Promise<void> {
    await writeLayerIndex(this.#place.stateDir, folder, index);
    await this.#note(folder, key, (await markOf(this.#place.root, folder)) ?? "");
  }

  async #note(folder: string, key: string, mark: string): Promise<void> {
    this.#notes.marks[folder] = { key, mark };
    await writeNotes(this.#place.stateDir, this.#notes);
  }
}

/** Each is a line in the runner's log, too. */
const PROGRESS_INTERVAL_MS = 1_000;
function throttled(tell: (files: number) => void): (files: number) => void {
  let toldAt = 0;
  return (files) => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_INTERVAL_MS) return;
    toldAt = now;
    tell(files);
  };
}
