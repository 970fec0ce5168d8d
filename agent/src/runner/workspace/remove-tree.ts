/** Removes a folder with all that is in it, also where read-only folders (a package cache, say) refuse at first. */
import { chmod, lstat, readdir, rm } from "node:fs/promises";
import path from "node:path";

const OWNER_MAY_ALL = 0o700;

export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    await openFolders(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function openFolders(folder: string): Promise<void> {
  const stat = await lstat(folder).catch(() => null);
  if (stat === null || !stat.isDirectory()) return;
  await chmod(folder, OWNER_MAY_ALL);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await openFolders(path.join(folder, entry.name));
  }
}
