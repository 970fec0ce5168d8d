/**
 * Brings the trees of a snapshot into a staging folder, trusting nothing in the packs: their tables, then all names, then
 * each block and each file are checked, and only folders that this very restore made are written into. What is left in
 * staging after a refusal is the caller's to remove; nothing outside it was touched.
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fstatSync,
  futimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { addUp } from "@ai-dev-platform/protocol/packs/add-up";
import { judgeTrees, RESTORE_LIMITS, type RestoreLimits } from "@ai-dev-platform/protocol/packs/judge-tree";
import { bytesOf, LAYERS, type Chunk, type Layer, type Manifest } from "@ai-dev-platform/protocol/packs/manifest";
import { decodeFooter, decodeTail, FOOTER_BYTES, type Decoded } from "@ai-dev-platform/protocol/packs/pack-file";
import { BlockFeed, type FeedPack } from "../hydrate/block-feed.ts";
import { fileSource, type FetchedPack, type PackSource, Refusal, Unreachable } from "../hydrate/pack-source.ts";
import { sideBySide } from "../hydrate/side-by-side.ts";
import { STAGED } from "../snapshot-format.ts";
import { nodePacks, sha256 } from "./node-packs.ts";
import { lookOf } from "./read-content.ts";
import { unread, type IndexedEntry, type PackRef, type TreeIndex } from "./tree-index.ts";

export type { FetchedPack } from "../hydrate/pack-source.ts";

export type Restored = { ok: true; index: Pick<TreeIndex, "packs" | "layers"> } | { ok: false; detail: string };

export interface RestoreOptions {
  limits?: RestoreLimits;
  /** Whether a link that leaves its tree is let through all the same. */
  mayLeave?: (path: string, target: string) => boolean;
  /** Where the agent's own folder comes from instead, in the order of their manifests. */
  agentFrom?: readonly PackSource[];
  /** So far, in all layers. */
  onWritten?: (files: number, bytes: number) => void;
}

const TABLES_AT_ONCE = 6;
/** This computer, not the snapshot, is in the way: an older snapshot would help nobody. */
const OWN_FAULTS: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE"]);

interface OpenPack extends FeedPack {
  manifest: Manifest | null;
  ref: PackRef;
}

/** From files. `packs`: in the order of their manifests, oldest first. */
export async function restorePacks(
  packs: readonly FetchedPack[],
  staging: string,
  limits: RestoreLimits = RESTORE_LIMITS,
): Promise<Restored> {
  const sources: PackSource[] = [];
  try {
    for (const pack of packs) sources.push(await fileSource(pack));
    return await restoreFrom(sources, staging, { limits });
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    await Promise.all(sources.map((source) => source.close()));
  }
}

/** From wherever they are. Throws `Unreachable`, and what this computer is to blame for. The sources stay open. */
export async function restoreFrom(sources: readonly PackSource[], staging: string, options: RestoreOptions = {}): Promise<Restored> {
  try {
    const summed = await addUpFrom(sources, options.agentFrom);
    if (!summed.ok) return summed;
    const { opened } = summed;
    const storedBytes = opened.reduce((sum, { ref }) => sum + ref.bytes, 0);
    const refusal = judgeTrees(summed.layers, storedBytes, options.limits ?? RESTORE_LIMITS, options.mayLeave);
    if (refusal !== null) return { ok: false, detail: refusal };
    writeFileSync(path.join(staging, STAGED.meta), summed.meta, { mode: 0o600, flag: "wx" });
    await writeTrees(opened, staging, summed.layers, options.onWritten ?? (() => undefined));
    return { ok: true, index: { packs: summed.packs, layers: summed.layers } };
  } catch (error) {
    if (error instanceof Unreachable || (error instanceof Error && "code" in error && OWN_FAULTS.has(error.code))) throw error;
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

type Summed = { ok: true; opened: OpenPack[]; packs: PackRef[]; layers: TreeIndex["layers"]; meta: string } | { ok: false; detail: string };

async function addUpFrom(sources: readonly PackSource[], agentFrom: readonly PackSource[] | undefined): Promise<Summed> {
  const own = await addUpAll(sources);
  if (!own.ok || agentFrom === undefined) return own;
  const other = await addUpAll(agentFrom);
  if (!other.ok) return other;
  const opened = [...new Map([...own.opened, ...other.opened].map((pack) => [pack.ref.name, pack])).values()];
  // No chain of manifests stands for both: the next one must stand for itself.
  const packs = opened.map(({ ref }): PackRef => ({ ...ref, manifest: "none" }));
  return { ok: true, opened, packs, layers: { src: own.layers.src, agent: other.layers.agent }, meta: own.meta };
}

async function addUpAll(sources: readonly PackSource[]): Promise<Summed> {
  const opened = await sideBySide(sources, TABLES_AT_ONCE, openPack);
  const manifests = opened.flatMap(({ manifest }) => (manifest === null ? [] : [manifest]));
  const summed = addUp(manifests, unread);
  return summed.ok ? { ...summed, opened, packs: effective(opened.map(({ ref }) => ref)) } : summed;
}

/** A manifest before the newest full one says nothing any more. */
function effective(packs: readonly PackRef[]): PackRef[] {
  const newestFull = packs.findLastIndex(({ manifest }) => manifest === "full");
  return packs.map((pack, index) => (index < newestFull ? { ...pack, manifest: "none" } : pack));
}

async function openPack(source: PackSource): Promise<OpenPack> {
  const { name, bytes, sha256 } = source;
  const last = await source.read(Math.max(0, bytes - FOOTER_BYTES), Math.min(bytes, FOOTER_BYTES));
  const footer = orRefuse(decodeFooter(last, bytes));
  const { blocks, manifest } = orRefuse(decodeTail(await source.read(footer.tailOffset, footer.tailBytes), footer, nodePacks));
  await source.forgetEnd?.();
  return { source, blocks, manifest, ref: { name, bytes, sha256, manifest: manifest?.kind ?? "none" } };
}

function orRefuse<T>(decoded: Decoded<T>): T {
  if (!decoded.ok) throw new Refusal(decoded.detail);
  return decoded.value;
}

/** Files are written in the order in which they are stored, so that each block is decoded about once. */
async function writeTrees(
  packs: readonly OpenPack[],
  staging: string,
  layers: TreeIndex["layers"],
  onWritten: (files: number, bytes: number) => void,
): Promise<void> {
  const order = new Map(packs.map(({ ref }, index) => [ref.name, index]));
  const files = LAYERS.map((layer) => [...layers[layer]].filter(([, { kind }]) => kind === "file").toSorted(byPlace(order)));
  const feed = new BlockFeed(new Map(packs.map((pack) => [pack.ref.name, pack])), chunksOf(files));
  const written = { files: 0, bytes: 0 };
  for (const [index, layer] of LAYERS.entries()) {
    const root = path.join(staging, FOLDERS[layer]);
    mkdirSync(root, { mode: 0o700 });
    const entries = [...layers[layer]];
    const folders = entries.filter(([, { kind }]) => kind === "folder").toSorted(byDepth);
    // Its own mode comes last: a read-only folder could not be filled.
    for (const [name] of folders) mkdirSync(path.join(root, name), { mode: 0o700 });
    for (const [name, entry] of files[index] ?? []) {
      await writeFile(feed, path.join(root, name), name, entry);
      onWritten((written.files += 1), (written.bytes += bytesOf(entry)));
    }
    for (const [name, { kind, target }] of entries) if (kind === "link") symlinkSync(target, path.join(root, name));
    for (const [name, { mode }] of folders.toReversed()) chmodSync(path.join(root, name), mode);
  }
}

function* chunksOf(layers: readonly (readonly Named[])[]): Generator<Chunk> {
  for (const files of layers) for (const [, { chunks }] of files) yield* chunks;
}

const FOLDERS: Record<Layer, string> = { agent: STAGED.agent, src: STAGED.workspace };

const PERMISSION_BITS = 0o777;

type Named = [string, IndexedEntry];
const depthOf = (name: string): number => name.split("/").length;
const byDepth = ([a]: Named, [b]: Named): number => depthOf(a) - depthOf(b);

/** By pack as they are listed, then as it lies there; what is empty comes first. */
const byPlace =
  (order: ReadonlyMap<string, number>) =>
  ([, a]: Named, [, b]: Named): number => {
    const [one] = a.chunks;
    const [other] = b.chunks;
    if (one === undefined || other === undefined) return (one === undefined ? 0 : 1) - (other === undefined ? 0 : 1);
    if (one.pack !== other.pack) return (order.get(one.pack) ?? -1) - (order.get(other.pack) ?? -1);
    return one.block - other.block || one.offset - other.offset;
  };

async function writeFile(feed: BlockFeed, full: string, name: string, entry: IndexedEntry): Promise<void> {
  const file = openSync(full, "wx", entry.mode);
  try {
    const sum = await writeContent(feed, file, entry);
    if (sum !== entry.sha256) throw new Refusal(`${JSON.stringify(name.slice(0, 200))} has another content`);
    futimesSync(file, entry.mtimeMs / 1_000, entry.mtimeMs / 1_000);
    let stat = fstatSync(file);
    // What the process masks at creation.
    if ((stat.mode & PERMISSION_BITS) !== entry.mode) {
      fchmodSync(file, entry.mode);
      stat = fstatSync(file);
    }
    entry.look = lookOf(stat);
  } finally {
    closeSync(file);
  }
}

/** The SHA-256 of what was written. */
async function writeContent(feed: BlockFeed, file: number, { chunks }: IndexedEntry): Promise<string> {
  const [only] = chunks;
  if (only === undefined || chunks.length > 1) {
    const hash = createHash("sha256");
    for (const chunk of chunks) {
      const bytes = await feed.read(chunk);
      hash.update(bytes);
      writeAll(file, bytes);
    }
    return hash.digest("base64url");
  }
  const bytes = await feed.read(only);
  writeAll(file, bytes);
  // Most files: hashed in one call, which is several times quicker for small ones.
  return sha256(bytes);
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}
