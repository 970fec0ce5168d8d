/** Plain paths on disk: inside the workspace, also after links, and not in `.git`. */
import { realpath } from "node:fs/promises";
import path from "node:path";
import { isWithin } from "./fresh.ts";

/** The real file or folder behind a plain path; null when it does not exist or leads outside. */
export async function resolveInside(root: string, plain: string): Promise<string | null> {
  const [realRoot, real] = await Promise.all([realpath(root).catch(() => null), realpath(path.join(root, plain)).catch(() => null)]);
  if (realRoot === null || real === null || !isWithin(real, realRoot)) return null;
  return path.relative(realRoot, real).split(path.sep).includes(".git") ? null : real;
}
