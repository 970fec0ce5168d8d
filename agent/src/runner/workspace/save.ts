/**
 * Saves the workspace and the conversation as one snapshot: listed, packed, uploaded. The session makes it the head.
 * A save that fails at any point leaves the head, and this disk, as they were (SPEC SN2).
 */
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Problem } from "@ai-dev-platform/protocol/events";
import { formatId, ID_RANDOM_BYTES } from "@ai-dev-platform/protocol/ids";
import { MAX_SNAPSHOT_PARTS } from "@ai-dev-platform/protocol/limits";
import { SNAPSHOT_FORMAT, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { fingerprint } from "./fingerprint.ts";
import { exists } from "./fresh.ts";
import { listForSave, type Listings } from "./listing.ts";
import { splitPackName } from "@ai-dev-platform/protocol/packs/pack-name";
import { savePack, type Packed } from "./packs/save-pack.ts";
import type { TreeIndex } from "./packs/tree-index.ts";
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
  #pending: { fingerprint: string; index: TreeIndex } | null = null;
  /** Saves run one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(remote: Remote, stateDir: string, prepared: Prepared) {
    this.#remote = remote;
    this.#stateDir = stateDir;
    this.#prepared = prepared;
  }

  async hasChanged(): Promise<boolean> {
    const listings = await this.#list();
    return fingerprint(listings.workspace, listings.agent) !== this.#prepared.state.fingerprint;
  }

  save(): Promise<SaveResult> {
    const next = this.#last.then(() => this.#save());
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
    await writeState(this.#stateDir, this.#prepared.state);
    await foldLog(this.#stateDir, this.#prepared.index);
  }

  #list(): Promise<Listings> {
    return listForSave(this.#prepared.tree, this.#prepared.claudeDir);
  }

  async #save(): Promise<SaveResult> {
    if (!(await exists(this.#prepared.tree.root))) return failed("unavailable", "the workspace folder is gone");
    const listings = await this.#list();
    const mark = fingerprint(listings.workspace, listings.agent);
    if (mark === this.#prepared.state.fingerprint) return { ok: false, reason: "unchanged" };
    const snapshotId = formatId("snapshot", randomBytes(ID_RANDOM_BYTES));
    const outgoing = path.join(this.#stateDir, "outgoing");
    try {
      const packed = await this.#pack(snapshotId, listings, outgoing);
      if (packed.isUnchanged) return await this.#remember(mark);
      if (packed.packs.length > MAX_SNAPSHOT_PARTS) return failed("too_large", "the files are too many or too large to save");
      const sent = await sendParts(this.#remote, snapshotId, packed.packs);
      if (!sent.ok) return failed("unavailable", sent.detail);
      this.#pending = { fingerprint: mark, index: packed.index };
      await logSave(this.#stateDir, packed.change, packed.index);
      this.#prepared.state = { ...this.#prepared.state, pendingSnapshotId: snapshotId };
      await writeState(this.#stateDir, this.#prepared.state);
      return { ok: true, snapshot: this.#reference(snapshotId, packed) };
    } catch (error) {
      return failed("internal", error instanceof Error ? error.message : String(error));
    } finally {
      await rm(outgoing, { recursive: true, force: true });
    }
  }

  /** Times were touched, contents were not. */
  async #remember(mark: string): Promise<SaveResult> {
    this.#prepared.state = { ...this.#prepared.state, fingerprint: mark };
    await writeState(this.#stateDir, this.#prepared.state);
    return { ok: false, reason: "unchanged" };
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

  #reference(snapshotId: string, packed: Packed): SnapshotRef {
    return {
      snapshotId,
      parentId: this.#prepared.state.snapshotId,
      format: SNAPSHOT_FORMAT,
      parts: packed.packs.map(({ bytes, sha256 }) => ({ bytes, sha256 })),
      inherited: packed.inherited.map(({ name, bytes, sha256 }) => ({ ...splitPackName(name), bytes, sha256 })),
      dependencies: [],
      treeBytes: packed.treeBytes,
      treeFiles: packed.treeFiles,
      leftOut: packed.leftOut,
    };
  }
}

const failed = (code: "unavailable" | "too_large" | "internal", detail: string): SaveResult => ({
  ok: false,
  reason: "failed",
  problem: problem(code, detail),
});
