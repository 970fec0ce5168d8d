/**
 * A session's saves without the session: every kept state with the tree it was made from, a store of packs on disk, and
 * the mischief that happens between saves (index lost, stale, states dropped, another state hydrated).
 */
import { copyFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import { restorePacks, type FetchedPack } from "../../agent/src/runner/workspace/packs/restore-packs.ts";
import { savePack } from "../../agent/src/runner/workspace/packs/save-pack.ts";
import { decodeIndex, encodeIndex, type TreeIndex } from "../../agent/src/runner/workspace/packs/tree-index.ts";
import { removeTree } from "../../agent/src/runner/workspace/remove-tree.ts";
import { AGENT_RULES, WORKSPACE_RULES } from "../../agent/src/runner/workspace/save-rules.ts";
import { walkTree } from "../../agent/src/runner/workspace/tree-walk.ts";
import { describeTree, without, type Described } from "./random-trees.ts";

interface KeptState {
  snapshotId: string;
  packs: string[];
  workspace: Described;
  agent: Described;
  meta: string;
  index: string;
}

export class PackHistory {
  readonly workspace: string;
  readonly agent: string;
  kept: KeptState[] = [];
  index: TreeIndex | null = null;
  readonly #root: string;
  readonly #stored = new Map<string, FetchedPack>();
  #count = 0;

  private constructor(root: string) {
    this.#root = root;
    this.workspace = path.join(root, "work");
    this.agent = path.join(root, "claude");
  }

  static async begin(root: string): Promise<PackHistory> {
    const history = new PackHistory(root);
    for (const folder of [history.workspace, history.agent, path.join(root, "store")]) await mkdir(folder, { recursive: true });
    await writeFile(path.join(history.agent, "history"), "what was said\n");
    return history;
  }

  /** Returns how many packs were stored. */
  async save(): Promise<number> {
    const snapshotId = `snp-${(this.#count += 1)}`;
    const into = path.join(this.#root, "outgoing");
    await mkdir(into);
    const listing = await walkTree(this.workspace, WORKSPACE_RULES);
    const meta = `{"count":${this.#count}}`;
    const packed = await savePack({
      snapshotId,
      workspace: { root: this.workspace, listing },
      agent: { root: this.agent, listing: await walkTree(this.agent, AGENT_RULES) },
      meta,
      into,
      previous: this.index,
      // By the file system's clock, which may stand still between two edits: the rule for just-written files must hold.
      now: Date.now(),
    });
    if (!packed.isUnchanged) await this.#commit(snapshotId, packed, meta);
    await rm(into, { recursive: true });
    return packed.isUnchanged ? 0 : packed.packs.length;
  }

  async #commit(snapshotId: string, packed: Awaited<ReturnType<typeof savePack>>, meta: string): Promise<void> {
    for (const pack of packed.packs) {
      const file = path.join(this.#root, "store", pack.name.replace("/", "-"));
      await copyFile(pack.file, file);
      expect(this.#stored.has(pack.name), "a name is written once").toBe(false);
      this.#stored.set(pack.name, { name: pack.name, file, bytes: pack.bytes, sha256: pack.sha256 });
    }
    const text = encodeIndex(packed.index);
    this.index = decodeIndex(text);
    expect(this.index, "the index can be read again").not.toBeNull();
    this.kept.push({
      snapshotId,
      packs: [...packed.inherited, ...packed.packs].map(({ name }) => name),
      workspace: without(describeTree(this.workspace), packed.leftOut),
      agent: describeTree(this.agent),
      meta,
      index: text,
    });
  }

  loseIndex(): void {
    this.index = null;
  }

  /** An older state's index beside newer files. */
  takeOldIndex(which: number): void {
    const old = this.kept[which % Math.max(1, this.kept.length)];
    if (old !== undefined) this.index = decodeIndex(old.index);
  }

  /** Drops a state and every stored pack that no other is read from, as retention does; never the newest. */
  async drop(which: number): Promise<void> {
    if (this.kept.length < 2) return;
    this.kept.splice(which % (this.kept.length - 1), 1);
    // A stale index of a dropped state is never used by a session: only the head's is.
    const needed = new Set(this.kept.flatMap(({ packs }) => packs));
    for (const [name, pack] of this.#stored) {
      if (needed.has(name)) continue;
      await rm(pack.file);
      this.#stored.delete(name);
    }
  }

  /** Goes on from a kept state on a fresh disk: its files and its index take the place of what was there. */
  async hydrate(which: number): Promise<void> {
    const state = this.kept[which % Math.max(1, this.kept.length)];
    if (state === undefined) return;
    const { staging, index } = await this.#restore(state);
    await removeTree(this.workspace);
    await removeTree(this.agent);
    await rename(path.join(staging, "files"), this.workspace);
    await rename(path.join(staging, "agent"), this.agent);
    await removeTree(staging);
    this.index = { snapshotId: state.snapshotId, ...index };
  }

  async everyStateComesBack(): Promise<void> {
    for (const state of this.kept) await this.comesBack(state);
  }

  async headComesBack(): Promise<void> {
    const head = this.kept.at(-1);
    if (head !== undefined) await this.comesBack(head);
  }

  async comesBack(state: KeptState): Promise<void> {
    const { staging } = await this.#restore(state);
    expect(describeTree(path.join(staging, "files"))).toEqual(state.workspace);
    expect(describeTree(path.join(staging, "agent"))).toEqual(state.agent);
    await removeTree(staging);
  }

  async #restore(state: KeptState) {
    const staging = path.join(this.#root, "staging");
    await mkdir(staging);
    const packs = state.packs.map((name) => {
      const pack = this.#stored.get(name);
      if (pack === undefined) throw new Error(`${name}, which ${state.snapshotId} is read from, is not stored`);
      return pack;
    });
    const restored = await restorePacks(packs, staging);
    if (!restored.ok) throw new Error(`${state.snapshotId} cannot be read: ${restored.detail}`);
    return { staging, index: restored.index };
  }
}
