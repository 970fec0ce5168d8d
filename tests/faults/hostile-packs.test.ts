/**
 * Packs that somebody made on purpose: every field of a table changed at random and sealed again with right hashes, and
 * bombs. Each is restored to what its own hashes say or refused, in bounded time and memory, and nothing outside the staging
 * folder is touched.
 */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { restorePacks, type FetchedPack } from "../../agent/src/runner/workspace/packs/restore-packs.ts";
import { savePack } from "../../agent/src/runner/workspace/packs/save-pack.ts";
import { removeTree } from "../../agent/src/runner/workspace/remove-tree.ts";
import { AGENT_RULES, WORKSPACE_RULES } from "../../agent/src/runner/workspace/save-rules.ts";
import { walkTree } from "../../agent/src/runner/workspace/tree-walk.ts";
import { type Json, mutate, RawNumber, write } from "./mutations.ts";
import { describeTree, runs } from "./random-trees.ts";
import { randomFrom } from "../support/random.ts";
import { noise } from "../../agent/src/runner/testing/noise.ts";

const FOOTER_BYTES = 64;
const MB = 1_048_576;
const SLOW_MS = 20_000;

let scratch: string;
let work: string;
/** Two honest packs: a full state and one on top of it. */
let honest: { name: string; bytes: Buffer }[];
const contents = new Set<string>();
const hash = (bytes: Uint8Array, as: "hex" | "base64url" = "base64url") => createHash("sha256").update(bytes).digest(as);

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "hostile-"));
  work = path.join(scratch, "arena");
  const [workspace, agent] = [path.join(scratch, "work"), path.join(scratch, "claude")];
  for (const folder of [work, workspace, agent, path.join(workspace, "d"), path.join(workspace, "d/e")]) await mkdir(folder);
  await writeFile(path.join(work, "bystander"), "untouched");
  await writeFile(path.join(agent, "history"), "what was said");
  const files: [string, Buffer][] = [
    ["a", noise(300, 1)],
    ["empty", Buffer.alloc(0)],
    ["d/x", noise(70_000, 2)],
    ["d/e/large", noise(1_500_000, 3)],
  ];
  for (const [name, bytes] of files) await writeFile(path.join(workspace, name), bytes);
  await symlink("d/x", path.join(workspace, "link"));
  await symlink("../a", path.join(workspace, "d/up"));
  honest = [];
  const save = async (n: number, previous: Parameters<typeof savePack>[0]["previous"]) => {
    const into = path.join(scratch, `out-${n}`);
    await mkdir(into);
    const listing = await walkTree(workspace, WORKSPACE_RULES);
    const agentListing = await walkTree(agent, AGENT_RULES);
    const trees = { workspace: { root: workspace, listing }, agent: { root: agent, listing: agentListing } };
    const packed = await savePack({ snapshotId: `p${n}`, ...trees, meta: "{}", into, previous, now: Date.now() });
    for (const { name, file } of packed.packs) honest.push({ name, bytes: readFileSync(file) });
    for (const name of Object.keys(describeTree(workspace))) {
      const full = path.join(workspace, name);
      if (lstatSync(full).isFile()) contents.add(hash(readFileSync(full)));
    }
    contents.add(hash(readFileSync(path.join(agent, "history"))));
    return packed.index;
  };
  const first = await save(1, null);
  await writeFile(path.join(workspace, "a"), noise(400, 9));
  await writeFile(path.join(agent, "history"), "what was said, and more");
  await save(2, first);
});
afterAll(() => removeTree(scratch));

interface Opened {
  blocks: Buffer;
  table: Json;
}
function takeApart(pack: Buffer): Opened {
  const footer = pack.subarray(pack.length - FOOTER_BYTES);
  const [offset, length] = [footer.readUInt32LE(4), footer.readUInt32LE(8)];
  const table = JSON.parse(zstdDecompressSync(pack.subarray(offset, offset + length)).toString("utf8")) as Json;
  return { blocks: pack.subarray(0, offset), table };
}

/** Table and footer with right hashes, whatever the table says. `claimed`: its size before compression. */
function seal(blocks: Buffer, table: string | Buffer, claimed?: number): Buffer {
  const raw = typeof table === "string" ? Buffer.from(table, "utf8") : table;
  const stored = typeof table === "string" ? zstdCompressSync(raw) : raw;
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.writeUInt32LE(2, 0);
  footer.writeUInt32LE(blocks.length, 4);
  footer.writeUInt32LE(stored.length, 8);
  footer.writeUInt32LE(claimed ?? raw.length, 12);
  createHash("sha256").update(stored).digest().copy(footer, 16);
  footer.write("ADPPACK\n", FOOTER_BYTES - 8, "latin1");
  return Buffer.concat([blocks, stored, footer]);
}

let count = 0;
async function restore(packs: { name: string; bytes: Buffer }[]) {
  const arena = path.join(work, `run-${(count += 1)}`);
  const staging = path.join(arena, "staging");
  await mkdir(staging, { recursive: true });
  const fetched: FetchedPack[] = [];
  for (const [n, { name, bytes }] of packs.entries()) {
    const file = path.join(scratch, `pack-${n}`);
    await writeFile(file, bytes);
    fetched.push({ name, file, bytes: bytes.length, sha256: hash(bytes, "hex") });
  }
  const startedAt = performance.now();
  const rssBefore = process.memoryUsage().rss;
  const restored = await restorePacks(fetched, staging);
  return { restored, staging, arena, tookMs: performance.now() - startedAt, grewBytes: process.memoryUsage().rss - rssBefore };
}

/** Whatever it said: everything lies in staging, and everything in staging is harmless and was really in the packs. */
function judge(staging: string, arena: string, isRestored: boolean): string[] {
  const wrong: string[] = [];
  if (readdirSync(work).some((name) => name !== "bystander" && !name.startsWith("run-"))) wrong.push("something was made outside");
  if (readdirSync(arena).join() !== "staging") wrong.push("something was made beside staging");
  if (readFileSync(path.join(work, "bystander"), "utf8") !== "untouched") wrong.push("a bystander was changed");
  if (!isRestored) return wrong;
  for (const layer of ["files", "agent"]) {
    const root = realpathSync(path.join(staging, layer));
    for (const name of Object.keys(describeTree(root))) {
      const full = path.join(root, name);
      const stat = lstatSync(full);
      if ((stat.mode & 0o7000) !== 0) wrong.push(`${name} has special permissions`);
      if (stat.isFile() && stat.size > 0 && !contents.has(hash(readFileSync(full)))) wrong.push(`${name} holds what nobody saved`);
      if (stat.isSymbolicLink() && !leadsInside(full, root)) wrong.push(`${name} leads to ${readlinkSync(full)}`);
    }
  }
  return wrong;
}

function leadsInside(link: string, root: string): boolean {
  try {
    const real = realpathSync(link);
    return real === root || real.startsWith(`${root}/`);
  } catch {
    // It leads nowhere.
    return true;
  }
}

describe("[SN4] a table with anything in any place", () => {
  it("is restored to what its hashes say, or refused without a trace outside staging", { timeout: 600_000 }, async () => {
    const { numRuns, seed } = runs(120);
    const random = randomFrom(seed);
    let refused = 0;
    for (let run = 0; run < numRuns; run += 1) {
      const packs = honest.map(({ name, bytes }) => ({ name, bytes }));
      const at = random(packs.length);
      const { blocks, table } = takeApart(packs[at]?.bytes ?? Buffer.alloc(0));
      let damaged = table;
      for (let times = 1 + random(3); times > 0; times -= 1) damaged = mutate(damaged, random);
      const text = write(damaged);
      packs[at] = { name: packs[at]?.name ?? "", bytes: seal(blocks, text) };
      const { restored, staging, arena, tookMs } = await restore(packs);
      const said = `run ${run}: ${text.slice(0, 2_000)}`;
      expect(judge(staging, arena, restored.ok), said).toEqual([]);
      expect(tookMs, said).toBeLessThan(SLOW_MS);
      if (!restored.ok) refused += 1;
      await removeTree(arena);
    }
    expect(refused).toBeGreaterThan(numRuns / 3);
    expect(refused).toBeLessThan(numRuns);
  });

  it("is refused or restored when the footer says anything", { timeout: 600_000 }, async () => {
    const { numRuns, seed } = runs(40);
    const random = randomFrom(seed + 1);
    const values = [0, 1, 63, 64, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32 - 64, 2 ** 29, 2 ** 29 + 1];
    for (let run = 0; run < numRuns; run += 1) {
      const packs = honest.map(({ name, bytes }) => ({ name, bytes: Buffer.from(bytes) }));
      const { bytes = Buffer.alloc(0) } = packs[random(packs.length)] ?? {};
      const field = [4, 8, 12, 48][random(4)] ?? 4;
      bytes.writeUInt32LE(values[random(values.length)] ?? 0, bytes.length - FOOTER_BYTES + field);
      const { restored, staging, arena, tookMs } = await restore(packs);
      expect(judge(staging, arena, restored.ok)).toEqual([]);
      expect(tookMs).toBeLessThan(SLOW_MS);
      await removeTree(arena);
    }
  });
});

const EMPTY = hash(Buffer.alloc(0));
const file = (name: string, chunks: Json[] = [], sha256 = EMPTY, mtime: Json = 0): Json => [name, 0, 0o644, mtime, "", sha256, chunks];
const folder = (name: string): Json => [name, 1, 0o755, 0, "", "", []];
const link = (name: string, target: string): Json => [name, 2, 0o777, 0, target, "", []];
const manifest = (set: Json[], packs: string[] = ["p/0"]): Json => ({
  kind: "full",
  packs,
  agent: { set: [], gone: [] },
  src: { set, gone: [] },
  meta: "{}",
});
const one = (set: Json[]): { name: string; bytes: Buffer }[] => [
  { name: "p/0", bytes: seal(Buffer.alloc(0), write({ blocks: [], manifest: manifest(set) })) },
];

/** A Zstandard frame's start: magic, a descriptor with an 8-byte size, no window, and that size. */
function frameClaiming(bytes: bigint): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32LE(0xfd2f_b528, 0);
  header.writeUInt8(0b1110_0000, 4);
  header.writeBigUInt64LE(bytes, 5);
  // One block, the last, of a single repeated byte: 128 KiB of zeros.
  return Buffer.concat([header, Buffer.from([0x03, 0x00, 0x10, 0x00])]);
}

/** A table that points at one stored block. */
function withBlock(stored: Buffer, rawBytes: number, chunks: Json[], sha256: string): { name: string; bytes: Buffer }[] {
  const blocks: Json = [[0, stored.length, rawBytes, hash(stored)]];
  return [{ name: "p/0", bytes: seal(stored, write({ blocks, manifest: manifest([file("f", chunks, sha256)]) })) }];
}
const zeros = (bytes: number) => hash(Buffer.alloc(bytes));

describe("[SN4] a bomb", () => {
  const nest = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  const bombs: [string, () => { name: string; bytes: Buffer }[]][] = [
    ["a block that claims 4 GB", () => withBlock(frameClaiming(4n * 1_073_741_824n), MB, [[0, 0, 0, 1, zeros(1)]], zeros(1))],
    [
      "a block that holds more than it says",
      () => withBlock(zstdCompressSync(Buffer.alloc(200 * MB)), MB, [[0, 0, 0, 1, zeros(1)]], zeros(1)),
    ],
    [
      "a block with a window of 128 MB",
      () => {
        const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 0 };
        return withBlock(zstdCompressSync(noise(MB, 5), { params }), MB, [[0, 0, 0, 1, zeros(1)]], zeros(1));
      },
    ],
    ["a table that claims 512 MB and is small", () => [{ name: "p/0", bytes: seal(Buffer.alloc(0), frameClaiming(2n ** 29n), 2 ** 29) }]],
    [
      "a table of half a gigabyte of numbers",
      () => {
        const raw = Buffer.alloc(400 * MB, "0,");
        raw.write('{"blocks":[', 0);
        raw.write("0]}", raw.length - 3);
        return [{ name: "p/0", bytes: seal(Buffer.alloc(0), zstdCompressSync(raw), raw.length) }];
      },
    ],
    ["a table of brackets", () => [{ name: "p/0", bytes: seal(Buffer.alloc(0), nest(200_000)) }]],
    ["a name of 70 folders", () => one(Array.from({ length: 70 }, (_, n) => folder(Array.from({ length: n + 1 }, () => "d").join("/"))))],
    ["a link to itself", () => one([link("l", "l")])],
    ["a ring of links that would lead outside, if it led anywhere", () => one([link("a", "b/../.."), link("b", "a")])],
    [
      "links that double each other",
      () =>
        one(
          Array.from({ length: 200 }, (_, n) => link(`l${n}`, n === 199 ? "." : Array.from({ length: 100 }, () => `l${n + 1}`).join("/"))),
        ),
    ],
    [
      "very long links, one after another",
      () => one(Array.from({ length: 2_000 }, (_, n) => link(`l${n}`, `${"a/../".repeat(800)}l${(n + 1) % 2_000}`))),
    ],
    ["very deep links", () => one(Array.from({ length: 1_000 }, (_, n) => link(`l${n}`, "a/".repeat(8_000))))],
    ["a chunk near 2^32", () => withBlock(zstdCompressSync(Buffer.alloc(10)), 10, [[0, 0, 2 ** 32 - 1, 1, zeros(1)]], zeros(1))],
    [
      "a chunk that is longer than its block",
      () => withBlock(zstdCompressSync(Buffer.alloc(10)), 10, [[0, 0, 5, 2 ** 40, zeros(1)]], zeros(1)),
    ],
    [
      "a million times the same chunk",
      () => {
        const chunks = Array.from({ length: 90_000 }, (): Json => [0, 0, 0, MB, EMPTY]);
        return withBlock(zstdCompressSync(Buffer.alloc(MB)), MB, chunks, zeros(1));
      },
    ],
    ["a time that is none", () => one([file("f", [], EMPTY, new RawNumber("1e999"))])],
    ["a time beyond all clocks", () => one([file("f", [], EMPTY, new RawNumber("1e300"))])],
    ["half a character", () => one([file("\ud83e")])],
    ["the same name as file and folder of another", () => one([folder("d"), file("d/x"), file("d")])],
    ["content of nobody", () => one([file("f", [], hash(Buffer.from("other")))])],
  ];

  it.each(bombs)("%s is refused in time and in memory", { timeout: 120_000 }, async (name, build) => {
    const { restored, staging, arena, tookMs, grewBytes } = await restore(build());
    expect(judge(staging, arena, restored.ok)).toEqual([]);
    // A ring that stays inside leads nowhere, and may come back as it was.
    if (!/itself|ring|double/.test(name)) expect(restored.ok, name).toBe(false);
    expect(tookMs).toBeLessThan(SLOW_MS);
    expect(grewBytes).toBeLessThan(300 * MB);
  });

  it("two chunks that overlap are no harm: a file is what its hash says", async () => {
    const raw = noise(1_000, 8);
    const both = Buffer.concat([raw.subarray(0, 600), raw.subarray(300, 900)]);
    contents.add(hash(both));
    const chunks: Json[] = [
      [0, 0, 0, 600, hash(raw.subarray(0, 600))],
      [0, 0, 300, 600, hash(raw.subarray(300, 900))],
    ];
    const { restored, staging, arena } = await restore(withBlock(zstdCompressSync(raw), 1_000, chunks, hash(both)));
    expect(restored.ok).toBe(true);
    expect(judge(staging, arena, true)).toEqual([]);
    expect(readFileSync(path.join(staging, "files", "f"))).toEqual(both);
  });

  it("names that are words of a language come back like any other", async () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "C:\\x", "a\\..\\b", "..a", "-rf"];
    const { restored, staging, arena } = await restore(
      one([...names.map((name) => file(name, [], EMPTY, new RawNumber("-0"))), folder("prototype")]),
    );
    expect(restored.ok).toBe(true);
    expect(judge(staging, arena, true)).toEqual([]);
    expect(readdirSync(path.join(staging, "files")).sort()).toEqual([...names, "prototype"].sort());
  });
});
