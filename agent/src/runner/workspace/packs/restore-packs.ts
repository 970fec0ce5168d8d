/**
 * Brings the trees of a snapshot into a staging folder, trusting nothing in the packs: their tables, then all names, then
 * each block and each file are checked, and only folders that this very restore made are written into. What is left in
 * staging after a refusal is the caller's to remove; nothing outside it was touched.
 */
import { createHash } from "node:crypto";
import { closeSync, fchmodSync, fstatSync, futimesSync, openSync, writeFileSync, writeSync } from "node:fs";
import { chmod, mkdir, open, symlink, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { addUp } from "@ai-dev-platform/protocol/packs/add-up";
import { judgeTrees, RESTORE_LIMITS, type RestoreLimits } from "@ai-dev-platform/protocol/packs/judge-tree";
import { LAYERS, type Chunk, type Layer, type Manifest } from "@ai-dev-platform/protocol/packs/manifest";
import { decodeBlock, decodeFooter, decodeTail, FOOTER_BYTES, type Block, type Decoded } from "@ai-dev-platform/protocol/packs/pack-file";
import { STAGED } from "../snapshot-format.ts";
import { nodePacks } from "./node-packs.ts";
import { lookOf } from "./read-content.ts";
import { unread, type IndexedEntry, type PackRef, type TreeIndex } from "./tree-index.ts";

export interface FetchedPack {
  name: string;
  file: string;
  bytes: number;
  sha256: string;
}

export type Restored = { ok: true; index: Pick<TreeIndex, "packs" | "layers"> } | { ok: false; detail: string };

class Refusal extends Error {}

/** Decoded blocks that are held: files lie in blocks in the order they are restored in, so few are needed. */
const HELD_BLOCKS = 8;

interface OpenPack {
  handle: FileHandle;
  blocks: Block[];
  manifest: Manifest | null;
  ref: PackRef;
}

/** `packs`: in the order of their manifests, oldest first. */
export async function restorePacks(
  packs: readonly FetchedPack[],
  staging: string,
  limits: RestoreLimits = RESTORE_LIMITS,
): Promise<Restored> {
  const opened = new Map<string, OpenPack>();
  try {
    for (const pack of packs) opened.set(pack.name, await openPack(pack));
    const summed = addUp(
      [...opened.values()].flatMap(({ manifest }) => (manifest === null ? [] : [manifest])),
      unread,
    );
    if (!summed.ok) return summed;
    const storedBytes = packs.reduce((sum, pack) => sum + pack.bytes, 0);
    const refusal = judgeTrees(summed.layers, storedBytes, limits);
    if (refusal !== null) return { ok: false, detail: refusal };
    writeFileSync(path.join(staging, STAGED.meta), summed.meta, { mode: 0o600, flag: "wx" });
    await writeTrees(new BlockReader(opened), staging, summed.layers);
    return { ok: true, index: { packs: effective([...opened.values()].map(({ ref }) => ref)), layers: summed.layers } };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    await Promise.all([...opened.values()].map(({ handle }) => handle.close()));
  }
}

/** A manifest before the newest full one says nothing any more. */
function effective(packs: readonly PackRef[]): PackRef[] {
  const newestFull = packs.findLastIndex(({ manifest }) => manifest === "full");
  return packs.map((pack, index) => (index < newestFull ? { ...pack, manifest: "none" } : pack));
}

async function openPack({ name, file, bytes, sha256 }: FetchedPack): Promise<OpenPack> {
  const handle = await open(file, "r");
  try {
    const footer = orRefuse(decodeFooter(await readAt(handle, Math.max(0, bytes - FOOTER_BYTES), FOOTER_BYTES), bytes));
    const { blocks, manifest } = orRefuse(decodeTail(await readAt(handle, footer.tailOffset, footer.tailBytes), footer, nodePacks));
    return { handle, blocks, manifest, ref: { name, bytes, sha256, manifest: manifest?.kind ?? "none" } };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readAt(handle: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  const { bytesRead } = await handle.read(buffer, 0, bytes, offset);
  if (bytesRead !== bytes) throw new Refusal("a pack ends too early");
  return buffer;
}

function orRefuse<T>(decoded: Decoded<T>): T {
  if (!decoded.ok) throw new Refusal(decoded.detail);
  return decoded.value;
}

class BlockReader {
  readonly #packs: ReadonlyMap<string, OpenPack>;
  readonly #held = new Map<string, Uint8Array>();

  constructor(packs: ReadonlyMap<string, OpenPack>) {
    this.#packs = packs;
  }

  async read(chunk: Chunk): Promise<Uint8Array> {
    const raw = this.#held.get(`${chunk.pack} ${chunk.block}`) ?? (await this.#load(chunk));
    if (chunk.offset + chunk.bytes > raw.length) throw new Refusal("a file points outside its block");
    return raw.subarray(chunk.offset, chunk.offset + chunk.bytes);
  }

  async #load({ pack: name, block: number }: Chunk): Promise<Uint8Array> {
    const pack = this.#packs.get(name);
    const block = pack?.blocks[number];
    if (pack === undefined || block === undefined) throw new Refusal("a file points at a block that is not there");
    const raw = orRefuse(decodeBlock(await readAt(pack.handle, block.offset, block.storedBytes), block, nodePacks));
    this.#held.set(`${name} ${number}`, raw);
    const oldest = this.#held.keys().next();
    if (this.#held.size > HELD_BLOCKS && oldest.done !== true) this.#held.delete(oldest.value);
    return raw;
  }
}

/** Files are written in the order in which they are stored, so that each block is decoded about once. */
async function writeTrees(reader: BlockReader, staging: string, layers: TreeIndex["layers"]): Promise<void> {
  for (const layer of LAYERS) {
    const root = path.join(staging, FOLDERS[layer]);
    await mkdir(root, { mode: 0o700 });
    const entries = [...layers[layer]];
    const folders = entries.filter(([, { kind }]) => kind === "folder").toSorted(byDepth);
    // Its own mode comes last: a read-only folder could not be filled.
    for (const [name] of folders) await mkdir(path.join(root, name), { mode: 0o700 });
    const files = entries.filter(([, { kind }]) => kind === "file");
    for (const [name, entry] of files.toSorted(byPlace)) await writeFile(reader, path.join(root, name), name, entry);
    for (const [name, { kind, target }] of entries) if (kind === "link") await symlink(target, path.join(root, name));
    for (const [name, { mode }] of folders.toReversed()) await chmod(path.join(root, name), mode);
  }
}

const FOLDERS: Record<Layer, string> = { agent: STAGED.agent, src: STAGED.workspace };

type Named = [string, IndexedEntry];
const depthOf = (name: string): number => name.split("/").length;
const byDepth = ([a]: Named, [b]: Named): number => depthOf(a) - depthOf(b);

function byPlace([, a]: Named, [, b]: Named): number {
  const [one] = a.chunks;
  const [other] = b.chunks;
  if (one === undefined || other === undefined) return (one === undefined ? 0 : 1) - (other === undefined ? 0 : 1);
  if (one.pack !== other.pack) return one.pack < other.pack ? -1 : 1;
  return one.block - other.block || one.offset - other.offset;
}

async function writeFile(reader: BlockReader, full: string, name: string, entry: IndexedEntry): Promise<void> {
  const file = openSync(full, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    for (const chunk of entry.chunks) {
      const bytes = await reader.read(chunk);
      hash.update(bytes);
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    }
    if (hash.digest("base64url") !== entry.sha256) throw new Refusal(`${JSON.stringify(name.slice(0, 200))} has another content`);
    fchmodSync(file, entry.mode);
    futimesSync(file, entry.mtimeMs / 1_000, entry.mtimeMs / 1_000);
    entry.look = lookOf(fstatSync(file));
  } finally {
    closeSync(file);
  }
}
