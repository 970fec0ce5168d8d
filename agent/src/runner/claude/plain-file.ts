/**
 * Reads a file of the workspace for a person or the agent. In a sandbox the runner may read more than the agent may, and the
 * agent decides what stands in the workspace: no link is followed out of it, and what is opened belongs to whom the workspace
 * belongs to. The owner is asked of the open file, so that nothing swapped meanwhile is read, nor another name of the same file.
 */
import { constants } from "node:fs";
import { lstat, open, realpath } from "node:fs/promises";
import path from "node:path";
import { isWithin } from "../workspace/fresh.ts";

export interface PlainFile {
  /** Of the whole file. */
  bytes: number;
  head: Buffer;
}

/** Its first `maxBytes`. Null: there is none, or it is not to be read. */
export async function readPlainFile(root: string, file: string, maxBytes: number): Promise<PlainFile | null> {
  try {
    const [folder, realRoot, real] = await Promise.all([lstat(root), realpath(root), realpath(path.resolve(root, file))]);
    if (!folder.isDirectory() || !isWithin(real, realRoot)) return null;
    // A FIFO would hold up an ordinary open for ever.
    const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (!found.isFile() || found.uid !== folder.uid) return null;
      const length = Math.min(found.size, maxBytes);
      const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(length), position: 0 });
      return { bytes: found.size, head: buffer.subarray(0, bytesRead) };
    } finally {
      await handle.close();
    }
  } catch {
    return null;
  }
}
