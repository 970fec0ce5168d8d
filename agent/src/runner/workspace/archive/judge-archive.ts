/**
 * What of an uploaded archive becomes files, decided on its table alone, before anything is written. Pure. Files, folders and
 * links that stay inside; a single folder around it all is taken off. One bad name refuses the whole: half a project is none.
 */
import { staysInside } from "@ai-dev-platform/protocol/packs/links";

export interface ArchiveEntry {
  /** As the archive has it. */
  name: string;
  kind: "file" | "folder" | "link" | "copy" | "other";
  bytes: number;
  isExecutable: boolean;
  /** Of a link, or of a copy: another file of the archive by its name there. */
  target: string;
}

export interface ArchiveLimits {
  bytes: number;
  entries: number;
  depth: number;
  nameBytes: number;
  pathBytes: number;
  /** Unpacked to archive size, judged once `ratioFloorBytes` are exceeded: small trees may well compress better. */
  ratio: number;
  ratioFloorBytes: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = {
  bytes: 2 * 1_073_741_824,
  entries: 200_000,
  depth: 60,
  nameBytes: 255,
  pathBytes: 2_000,
  ratio: 200,
  ratioFloorBytes: 256 * 1_048_576,
};

export type Planned =
  | { kind: "folder"; path: string }
  | { kind: "file"; path: string; bytes: number; isExecutable: boolean }
  | { kind: "link"; path: string; target: string }
  /** `from`: a path of the plan. */
  | { kind: "copy"; path: string; from: string; bytes: number; isExecutable: boolean };

export interface Plan {
  /** By the number of the entry in the archive. */
  entries: ReadonlyMap<number, Planned>;
  /** Every folder, those that no entry names too; outer ones first. */
  folders: readonly string[];
  /** Entries of a `.git`, left out. */
  gitEntries: number;
}

export type Judged = { ok: true; plan: Plan } | { ok: false; reason: string };

class Refusal extends Error {}

export function judgeArchive(entries: readonly ArchiveEntry[], archiveBytes: number, limits: ArchiveLimits = ARCHIVE_LIMITS): Judged {
  try {
    return { ok: true, plan: plan(entries, archiveBytes, limits) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.message };
    throw error;
  }
}

interface Named {
  index: number;
  names: readonly string[];
  entry: ArchiveEntry;
}

function plan(entries: readonly ArchiveEntry[], archiveBytes: number, limits: ArchiveLimits): Plan {
  if (entries.length > limits.entries) throw new Refusal("It has too many entries.");
  const named = entries.map((entry, index): Named => ({ index, names: namesOf(entry.name), entry }));
  const wanted = named.filter(({ names }) => names.length > 0 && !isJunk(names));
  const top = singleTop(wanted);
  const inside =
    top === null ? wanted : wanted.map((one) => ({ ...one, names: one.names.slice(1) })).filter(({ names }) => names.length > 0);
  const taken = inside.filter(({ names }) => !names.some(isGitName));
  const tree = new PlannedTree(limits);
  for (const one of taken) tree.add(one, top);
  tree.finish(archiveBytes);
  return { entries: tree.entries, folders: tree.folders(), gitEntries: inside.length - taken.length };
}

/** The names on the way, "." and doubled slashes taken out. */
function namesOf(name: string): string[] {
  if (name.includes("\0") || name.includes("\uFFFD")) throw new Refusal(`The name ${shown(name)} is not proper UTF-8.`);
  if (name.startsWith("/") || /^[A-Za-z]:/.test(name)) throw new Refusal(`The name ${shown(name)} is not inside the archive.`);
  const names = name.split("/").filter((part) => part !== "" && part !== ".");
  if (names.includes("..")) throw new Refusal(`The name ${shown(name)} leads out of the archive.`);
  return names;
}

/** What systems leave behind in archives. */
const isJunk = (names: readonly string[]): boolean => names[0] === "__MACOSX" || names.at(-1) === ".DS_Store";

/** In every way that some file system takes for `.git`: letters, trailing dots and blanks, Windows' short name, ignored characters. */
export function isGitName(name: string): boolean {
  const plain = name
    .normalize("NFKC")
    .replaceAll(/[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, "")
    .toLowerCase()
    .replace(/:.*$/s, "")
    .replace(/[. ]+$/, "");
  return plain === ".git" || /^git~\d+$/.test(plain);
}

function singleTop(wanted: readonly Named[]): string | null {
  const [first] = wanted;
  const top = first?.names[0];
  if (top === undefined || isGitName(top)) return null;
  const isAround = wanted.every(({ names, entry }) => names[0] === top && (names.length > 1 || entry.kind === "folder"));
  return isAround ? top : null;
}

const shown = (name: string): string => JSON.stringify(name.slice(0, 200));
/** Alike on a file system that does not tell letters' case or composition. */
const fold = (path: string): string => path.normalize("NFC").toLowerCase();

class PlannedTree {
  readonly entries = new Map<number, Planned>();
  readonly #limits: ArchiveLimits;
  /** By folded path. */
  readonly #there = new Map<string, Planned>();
  #bytes = 0;
  #files = 0;

  constructor(limits: ArchiveLimits) {
    this.#limits = limits;
  }

  add({ index, names, entry }: Named, top: string | null): void {
    const path = names.join("/");
    this.#judgeName(names, path);
    this.#addParents(names);
    const planned = this.#plannedOf(entry, path, top);
    const before = this.#there.get(fold(path));
    if (before !== undefined) {
      if (before.path !== path) throw new Refusal(`The names ${shown(before.path)} and ${shown(path)} differ only in letters' case.`);
      if (before.kind !== "folder" || planned.kind !== "folder") throw new Refusal(`The name ${shown(path)} is there twice.`);
      return;
    }
    this.#there.set(fold(path), planned);
    this.entries.set(index, planned);
    if (planned.kind === "file" || planned.kind === "copy") {
      this.#files += 1;
      this.#bytes += planned.bytes;
    }
  }

  #judgeName(names: readonly string[], path: string): void {
    const { depth, nameBytes, pathBytes } = this.#limits;
    const isLong = names.some((name) => Buffer.byteLength(name) > nameBytes) || Buffer.byteLength(path) > pathBytes;
    if (names.length > depth || isLong) throw new Refusal(`The name ${shown(path)} is too long or too deep.`);
  }

  /** Every name on the way is a folder of the archive, named by an entry or not. */
  #addParents(names: readonly string[]): void {
    for (let length = 1; length < names.length; length += 1) {
      const path = names.slice(0, length).join("/");
      const before = this.#there.get(fold(path));
      if (before === undefined) this.#there.set(fold(path), { kind: "folder", path });
      else if (before.kind !== "folder") throw new Refusal(`The name ${shown(names.join("/"))} leads through something that is no folder.`);
      else if (before.path !== path) throw new Refusal(`The names ${shown(before.path)} and ${shown(path)} differ only in letters' case.`);
    }
    if (this.#there.size > this.#limits.entries) throw new Refusal("It has too many entries.");
  }

  #plannedOf(entry: ArchiveEntry, path: string, top: string | null): Planned {
    const { bytes, isExecutable, target } = entry;
    switch (entry.kind) {
      case "folder":
        return { kind: "folder", path };
      case "file":
        if (!Number.isSafeInteger(bytes) || bytes < 0) throw new Refusal(`The size of ${shown(path)} cannot be true.`);
        return { kind: "file", path, bytes, isExecutable };
      case "link":
        return { kind: "link", path, target };
      case "copy":
        return this.#copyOf(
          path,
          namesOf(target)
            .slice(top === null ? 0 : 1)
            .join("/"),
        );
      case "other":
        throw new Refusal(`${shown(path)} is a device, a pipe or something else that is no file.`);
    }
  }

  /** A second name of a file that came before it. */
  #copyOf(path: string, from: string): Planned {
    const source = this.#there.get(fold(from));
    if (source === undefined || source.path !== from || (source.kind !== "file" && source.kind !== "copy"))
      throw new Refusal(`${shown(path)} is another name of a file that is not in the archive.`);
    return {
      kind: "copy",
      path,
      from: source.kind === "copy" ? source.from : from,
      bytes: source.bytes,
      isExecutable: source.isExecutable,
    };
  }

  /** Judged with all links known: a chain may leave although each of its links looks harmless. */
  finish(archiveBytes: number): void {
    const { bytes, ratio, ratioFloorBytes } = this.#limits;
    if (this.#files === 0) throw new Refusal("It holds no files.");
    const isTooDense = this.#bytes > ratioFloorBytes && this.#bytes > ratio * Math.max(1, archiveBytes);
    if (this.#bytes > bytes || isTooDense) throw new Refusal("It unpacks to too much.");
    const targetOf = (path: string): string | undefined => {
      const there = this.#there.get(fold(path));
      return there?.kind === "link" ? there.target : undefined;
    };
    for (const planned of this.#there.values()) {
      if (planned.kind !== "link") continue;
      const isProper = Buffer.byteLength(planned.target) <= this.#limits.pathBytes && !planned.target.includes("\uFFFD");
      if (!isProper || !staysInside(planned.path, planned.target, targetOf))
        throw new Refusal(`The link ${shown(planned.path)} leads out of the archive.`);
    }
  }

  folders(): string[] {
    const paths = [...this.#there.values()].flatMap((planned) => (planned.kind === "folder" ? [planned.path] : []));
    const depthOf = (path: string): number => path.split("/").length;
    return paths.toSorted((a, b) => depthOf(a) - depthOf(b));
  }
}
