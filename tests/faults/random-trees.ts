/**
 * Trees as people and tools really make them, edits of all kinds to them, and a walker that tells every difference: names,
 * kinds, permission bits, sizes, contents, times, targets. Seeded: the same seed makes the same history.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, lstatSync } from "node:fs";
import { appendFile, chmod, copyFile, lstat, mkdir, open, rename, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { removeTree } from "../../agent/src/runner/workspace/remove-tree.ts";
import { noise } from "../../agent/src/runner/testing/noise.ts";

/** Names that break programs: as they are, and below folders. */
const NAMES = [
  "a",
  "b.txt",
  " lead",
  "trail ",
  "new\nline",
  'qu"ote',
  "apo'strophe",
  "back\\slash",
  "C:\\x",
  // Composed, and the same decomposed: two files.
  "\u00e9",
  "e\u0301",
  "🦀",
  "-rf",
  "--",
  "..a",
  "...",
  "CON",
  "con",
  "Case",
  "case",
  "constructor",
  "__proto__",
  "toString",
  "*",
  "$(x)",
  "x".repeat(255),
  "é".repeat(127),
  "\u0001",
  "\u202Ertl",
];
const FOLDERS = ["", "", "d/", "d/e/", "Case/", "__proto__/", "🦀/", "e\u0301/"];

export const nameArbitrary: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...FOLDERS), fc.constantFrom(...NAMES))
  .map(([folder, name]) => folder + name);

const SIZES = [0, 1, 2, 500, 4_096, 70_000, 1_048_576, 1_048_577, 1_500_000];
const sizeArbitrary = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(0, 1, 2, 500, 4_096) }, fc.constantFrom(...SIZES));
const seedArbitrary = fc.integer({ min: 1, max: 6 });

export type Edit =
  | { do: "write" | "append" | "patch"; name: string; size: number; seed: number }
  | { do: "remove" | "folder" | "empty" | "touch" | "backdate"; name: string }
  | { do: "link"; name: string; target: string }
  | { do: "mode"; name: string; mode: number }
  | { do: "move" | "copy"; name: string; to: string }
  | { do: "shorten"; name: string; size: number };

/** Inside, dangling, relative, to themselves, through each other; and some that leave and must be left out. */
const targetArbitrary = fc.oneof(
  nameArbitrary,
  fc.constantFrom(".", "d", "d/e/..", "./a", "nowhere", "d/nowhere/../a", "🦀", "../outside", "/etc/passwd", "d/../../x", "a/"),
);

export const editArbitrary: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("write" as const, "append" as const, "patch" as const),
      name: nameArbitrary,
      size: sizeArbitrary,
      seed: seedArbitrary,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("remove" as const, "folder" as const, "empty" as const, "touch" as const, "backdate" as const),
      name: nameArbitrary,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("link" as const), name: nameArbitrary, target: targetArbitrary }) },
  fc.record({
    do: fc.constant("mode" as const),
    name: nameArbitrary,
    mode: fc.constantFrom(0o600, 0o755, 0o444, 0o400, 0o711, 0o4755, 0o2777),
  }),
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("move" as const, "copy" as const), name: nameArbitrary, to: nameArbitrary }),
  },
  fc.record({ do: fc.constant("shorten" as const), name: nameArbitrary, size: fc.constantFrom(0, 1, 499) }),
);

/** An edit that makes no sense at this point (a folder in the way, nothing there) is no edit. Never touches what lies outside. */
export async function applyEdit(root: string, edit: Edit): Promise<void> {
  try {
    await tryEdit(root, edit);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (typeof code !== "string" || code === "") throw error;
  }
}

async function tryEdit(root: string, edit: Edit): Promise<void> {
  const full = path.join(root, edit.name);
  if (!(await isOwn(root, path.dirname(edit.name)))) return;
  await mkdir(path.dirname(full), { recursive: true });
  const there = await lstat(full).catch(() => null);
  switch (edit.do) {
    case "write":
      // A folder or a link that stands there gives way: kinds change under a name.
      if (there !== null && !there.isFile()) await removeTree(full);
      return writeFile(full, noise(edit.size, edit.seed));
    case "append":
      return there?.isSymbolicLink() === true ? undefined : appendFile(full, noise(edit.size, edit.seed));
    case "patch":
      return there?.isFile() === true ? patchMiddle(full, noise(Math.min(edit.size, 4_096), edit.seed)) : undefined;
    case "remove":
      return removeTree(full);
    case "folder":
      if (there?.isFile() === true || there?.isSymbolicLink() === true) await rm(full);
      return void (await mkdir(full, { recursive: true }));
    case "empty":
      return there === null ? writeFile(full, "") : undefined;
    case "touch":
      return there?.isFile() === true ? utimes(full, new Date(), new Date()) : undefined;
    case "backdate":
      return there?.isFile() === true ? utimes(full, 1_000_000_000.123, 1_000_000_000.123) : undefined;
    case "link":
      if (there !== null) await removeTree(full);
      return symlink(edit.target, full);
    case "mode":
      return there === null || there.isSymbolicLink() ? undefined : chmod(full, edit.mode | (there.isDirectory() ? 0o700 : 0));
    case "move":
      return (await isOwn(root, path.dirname(edit.to))) ? rename(full, path.join(root, edit.to)) : undefined;
    case "copy":
      return there?.isFile() === true && (await isFree(path.join(root, edit.to))) && (await isOwn(root, path.dirname(edit.to)))
        ? copyFile(full, path.join(root, edit.to))
        : undefined;
    case "shorten":
      return there?.isFile() === true && there.size > edit.size ? truncate(full, edit.size) : undefined;
  }
}

/** Whether each folder on the way is a real one or not there yet: a link on the way could lead out. */
async function isOwn(root: string, folder: string): Promise<boolean> {
  let at = root;
  for (const name of folder === "." ? [] : folder.split("/")) {
    at = path.join(at, name);
    const stat = await lstat(at).catch(() => null);
    if (stat === null) return true;
    if (!stat.isDirectory()) return false;
  }
  return true;
}

const isFree = async (full: string): Promise<boolean> => (await lstat(full).catch(() => null)) === null;

/** In place, without a change of size. */
async function patchMiddle(full: string, bytes: Buffer): Promise<void> {
  const handle = await open(full, "r+");
  try {
    const { size } = await handle.stat();
    const length = Math.min(bytes.length, size);
    await handle.write(bytes, 0, length, Math.floor((size - length) / 2));
  } finally {
    await handle.close();
  }
}

export type Described = Record<string, string>;

/** Everything that must come back, by path; Object.create(null) because `__proto__` is a file here. */
export function describeTree(root: string, at = "", out: Described = Object.create(null) as Described): Described {
  for (const name of readdirSync(path.join(root, at)).sort()) {
    const relative = at === "" ? name : `${at}/${name}`;
    const full = path.join(root, relative);
    const stat = lstatSync(full);
    const mode = (stat.mode & 0o777).toString(8);
    if (stat.isSymbolicLink()) out[relative] = `link ${readlinkSync(full)}`;
    else if (stat.isDirectory()) {
      out[relative] = `folder ${mode}`;
      describeTree(root, relative, out);
    } else out[relative] = `file ${mode} ${stat.size} ${Math.floor(stat.mtimeMs)} ${hashOf(full)}`;
  }
  return out;
}

const hashOf = (full: string): string => createHash("sha256").update(readFileSync(full)).digest("hex");

/** What a save is expected to hold: all but what it said that it left out. */
export function without(described: Described, leftOut: readonly { path: string }[]): Described {
  const gone = new Set(leftOut.map((one) => one.path));
  return Object.assign(Object.create(null), Object.fromEntries(Object.entries(described).filter(([name]) => !gone.has(name))));
}

/** Runs of a property: few by default, many by hand. The seed is fixed unless another one is asked for. */
export const runs = (few: number): { numRuns: number; seed: number } => ({
  numRuns: Math.ceil(few * Number(process.env["FAULT_RUNS"] ?? 1)),
  seed: Number(process.env["FAULT_SEED"] ?? 20_261),
});
