/**
 * Reads files for saving through handles that refuse links, so that a file swapped for a link meanwhile is not followed.
 * What is read is what is saved: sizes and times are those of the opened file, not of the listing before it.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import type { Look } from "./tree-index.ts";

/** Regular files only, and never through a link; without O_NONBLOCK a FIFO would hold up the open for ever. */
const SAFE_OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const READ_BYTES = 4 * 1_048_576;

export const lookOf = (stat: Pick<Stats, "size" | "mtimeMs" | "ctimeMs" | "ino">): Look => ({
  bytes: stat.size,
  mtimeMs: stat.mtimeMs,
  ctimeMs: stat.ctimeMs,
  inode: stat.ino,
});

export interface Content {
  /** Good until the next file is read. */
  bytes: Buffer;
  look: Look;
}

let scratch: Buffer | null = null;

/**
 * At once: for a small file the way through the thread pool takes many times longer than the work. Null when it is gone,
 * "large" when it has more than `maxBytes` by now.
 */
export function readSmall(full: string, maxBytes: number): Content | "large" | null {
  try {
    const file = openSync(full, SAFE_OPEN);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) return null;
      if (stat.size > maxBytes) return "large";
      if (scratch === null || scratch.length < maxBytes) scratch = Buffer.allocUnsafeSlow(maxBytes);
      let bytes = 0;
      for (let read = 1; read > 0 && bytes < stat.size; bytes += read) read = readSync(file, scratch, bytes, stat.size - bytes, null);
      return { bytes: scratch.subarray(0, bytes), look: lookOf(stat) };
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

/** What there is of a range, at most `bytes`. Null when the file is gone. */
export async function readRange(full: string, from: number, bytes: number): Promise<Buffer | null> {
  const handle = await open(full, SAFE_OPEN).catch(() => null);
  if (handle === null) return null;
  try {
    const buffer = Buffer.allocUnsafe(bytes);
    const { bytesRead } = await handle.read(buffer, 0, bytes, from);
    return buffer.subarray(0, bytesRead);
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}

/**
 * A large file in pieces. `take` gets a view that is only good until it answers, and says how much of it was used up, or
 * that the rest is not wanted.
 */
export async function readLarge(
  full: string,
  take: (bytes: Buffer, isLast: boolean) => Promise<number | "stop">,
): Promise<Look | "stopped" | null> {
  const handle = await open(full, SAFE_OPEN).catch(() => null);
  if (handle === null) return null;
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return null;
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    let held = 0;
    let left = stat.size;
    while (left > 0 || held > 0) {
      const { bytesRead } = left > 0 ? await handle.read(buffer, held, Math.min(left, buffer.length - held)) : { bytesRead: 0 };
      // It became shorter: what was read stands, and its new look makes the next save read it again.
      left = bytesRead === 0 ? 0 : left - bytesRead;
      held += bytesRead;
      const used = await take(buffer.subarray(0, held), left === 0);
      if (used === "stop") return "stopped";
      buffer.copy(buffer, 0, used, held);
      held -= used;
    }
    return lookOf(stat);
  } finally {
    await handle.close();
  }
}
