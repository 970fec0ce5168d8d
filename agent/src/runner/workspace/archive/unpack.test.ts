import { mkdir, mkdtemp, lstat, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { packTar, type TarHeader } from "modern-tar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ArchiveFormat } from "@ai-dev-platform/protocol/modes";
import { ARCHIVE_LIMITS } from "./judge-archive.ts";
import { unpackArchive } from "./unpack.ts";

interface ZipEntry {
  name: string | Buffer;
  content?: string | Buffer;
  /** With the type's bits. Undefined: made by DOS. */
  mode?: number;
  /** What the table claims in place of the truth. */
  claims?: Partial<{ bytes: number; crc: number; method: number; flags: number; stored: number; offset: number }>;
}

/** A zip as it is written by hand, lies included. */
function zipOf(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const table: Buffer[] = [];
  let offset = 0;
  for (const { name, content = "", mode, claims = {} } of entries) {
    const raw = Buffer.from(content as Buffer);
    const packed = deflateRawSync(raw);
    const nameBytes = Buffer.from(name as Buffer);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(claims.flags ?? 0x800, 2);
    shared.writeUInt16LE(claims.method ?? 8, 4);
    shared.writeUInt32LE(claims.crc ?? crc32(raw), 10);
    shared.writeUInt32LE(claims.stored ?? packed.length, 14);
    shared.writeUInt32LE(claims.bytes ?? raw.length, 18);
    shared.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), shared, nameBytes, packed]);
    const head = Buffer.alloc(6);
    head.write("PK\x01\x02", "latin1");
    head.writeUInt16LE(mode === undefined ? 20 : (3 << 8) | 20, 4);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(mode === undefined ? 0 : mode * 65_536, 6);
    tail.writeUInt32LE(claims.offset ?? offset, 10);
    table.push(Buffer.concat([head, shared, tail, nameBytes]));
    if (claims.offset !== undefined) continue;
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(table);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

const header = (name: string, over: Partial<TarHeader> = {}): TarHeader => ({ name, size: 0, mtime: new Date(0), ...over });
const tarOf = async (...entries: [TarHeader, string?][]): Promise<Buffer> =>
  Buffer.from(await packTar(entries.map(([head, body = ""]) => ({ header: { ...head, size: Buffer.byteLength(body) }, body }))));

let scratch = "";
beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "unpack-"));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

async function unpack(format: ArchiveFormat, bytes: Buffer, limits = ARCHIVE_LIMITS) {
  await mkdir(path.join(scratch, "in"), { recursive: true });
  const file = path.join(scratch, "archive");
  await writeFile(file, bytes);
  return unpackArchive(file, format, path.join(scratch, "in", "root"), limits);
}
const root = (name = "") => path.join(scratch, "in", "root", name);
/** Everything beside the one folder that may be written. */
const outside = async () => [...(await readdir(scratch)), ...(await readdir(path.join(scratch, "in")))].sort();
async function tree(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of (await readdir(root(), { recursive: true })).sort()) {
    const stat = await lstat(root(name));
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isSymbolicLink()) found[name] = `-> ${await readlink(root(name))}`;
    else found[name] = stat.isDirectory() ? `${mode}/` : `${mode} ${await readFile(root(name), "utf8")}`;
  }
  return found;
}

const EXPECTED = {
  "b.sh": "755 #!/bin/sh\n",
  bin: "-> b.sh",
  src: "755/",
  "src/a.ts": "644 export {};\n",
  "src/ö \n\u{1f600}.md": "644 # odd\n",
};

describe("an archive becomes a folder", () => {
  it("from a zip with Unix modes", async () => {
    const bytes = zipOf([
      { name: "app/", mode: 0o040_755 },
      { name: "app/src/a.ts", content: "export {};\n", mode: 0o100_600 },
      { name: "app/src/ö \n\u{1f600}.md", content: "# odd\n", mode: 0o100_644 },
      { name: "app/b.sh", content: "#!/bin/sh\n", mode: 0o104_755 },
      { name: "app/bin", content: "b.sh", mode: 0o120_777 },
      { name: "app/.git/config", content: "[core]\n\tfsmonitor = touch /tmp/pwned\n", mode: 0o100_644 },
    ]);
    expect(await unpack("zip", bytes)).toEqual({ ok: true, gitEntries: 1 });
    expect(await tree()).toEqual(EXPECTED);
  });
  it("from a zip that was made on Windows", async () => {
    expect(
      await unpack(
        "zip",
        zipOf([
          { name: "src\\a.ts", content: "x" },
          { name: "b", content: "y" },
        ]),
      ),
    ).toMatchObject({ ok: true });
    expect(Object.keys(await tree())).toEqual(["b", "src", "src/a.ts"]);
  });
  it.each(["tar", "tar.gz"] as const)("from a %s", async (format) => {
    const plain = await tarOf(
      [header("./", { type: "directory" })],
      [header("./src/a.ts", { mode: 0o600 }), "export {};\n"],
      [header("./src/ö \n\u{1f600}.md"), "# odd\n"],
      [header("./b.sh", { mode: 0o6755 }), "#!/bin/sh\n"],
      [header("./bin", { type: "symlink", linkname: "b.sh" })],
    );
    expect(await unpack(format, format === "tar" ? plain : gzipSync(plain))).toEqual({ ok: true, gitEntries: 0 });
    expect(await tree()).toEqual(EXPECTED);
  });
  it("with second names of one file, and a large file in pieces", async () => {
    const large = "0123456789abcdef".repeat(200_000);
    const bytes = await tarOf([header("t/a", { mode: 0o755 }), large], [header("t/b", { type: "link", linkname: "t/a" })]);
    expect(await unpack("tar.gz", gzipSync(bytes))).toMatchObject({ ok: true });
    expect(await readFile(root("b"), "utf8")).toBe(large);
    expect((await lstat(root("b"))).mode & 0o777).toBe(0o755);
    expect((await lstat(root("b"))).nlink).toBe(1);
  });
});

describe("[SN14] a hostile archive is refused, and touches nothing outside", () => {
  const evil = { content: "evil", mode: 0o100_644 };
  it.each<[string, () => Buffer | Promise<Buffer>, ArchiveFormat]>([
    ["a zip that leads out", () => zipOf([{ name: "../evil", ...evil }]), "zip"],
    ["a zip that leads out with backslashes", () => zipOf([{ name: "..\\evil", content: "evil" }]), "zip"],
    ["a zip with an absolute name", () => zipOf([{ name: "/tmp/evil", ...evil }]), "zip"],
    [
      "a zip with a link out and a file through it",
      () =>
        zipOf([
          { name: "l", content: "..", mode: 0o120_777 },
          { name: "l/evil", ...evil },
        ]),
      "zip",
    ],
    [
      "a zip with a device",
      () =>
        zipOf([
          { name: "a", ...evil },
          { name: "null", mode: 0o020_666 },
        ]),
      "zip",
    ],
    ["a zip with a name that is not UTF-8", () => zipOf([{ name: Buffer.from([0x61, 0xff, 0xfe]), ...evil }]), "zip"],
    ["an encrypted zip", () => zipOf([{ name: "a", ...evil, claims: { flags: 0x801 } }]), "zip"],
    ["a zip with an unknown compression", () => zipOf([{ name: "a", ...evil, claims: { method: 99 } }]), "zip"],
    ["a zip whose content is longer than it says", () => zipOf([{ name: "a", ...evil, claims: { bytes: 1 } }]), "zip"],
    ["a zip whose content is shorter than it says", () => zipOf([{ name: "a", ...evil, claims: { bytes: 99 } }]), "zip"],
    ["a zip with another content", () => zipOf([{ name: "a", ...evil, claims: { crc: 1 } }]), "zip"],
    [
      "a zip of entries that share their bytes",
      () =>
        zipOf(
          Array.from({ length: 9 }, (_, n) => ({
            name: `${n}`,
            content: "z".repeat(90_000),
            mode: 0o100_644,
            ...(n === 0 ? {} : { claims: { offset: 0 } }),
          })),
        ),
      "zip",
    ],
    [
      "a zip with a link of a megabyte",
      () =>
        zipOf([
          { name: "a", ...evil },
          { name: "l", content: "a/".repeat(500_000), mode: 0o120_777 },
        ]),
      "zip",
    ],
    ["a zip that is a tar", () => tarOf([header("a"), "x"]), "zip"],
    ["a zip that is cut short", () => zipOf([{ name: "a", ...evil }]).subarray(0, -30), "zip"],
    ["an empty zip", () => Buffer.from(""), "zip"],
    ["a tar that leads out", () => tarOf([header("a/../../evil"), "evil"]), "tar"],
    ["a tar with an absolute name", () => tarOf([header("/tmp/evil"), "evil"]), "tar"],
    ["a tar with a link out", () => tarOf([header("a"), "x"], [header("l", { type: "symlink", linkname: "../../evil" })]), "tar"],
    [
      "a tar with a second name of what is outside",
      () => tarOf([header("a"), "x"], [header("b", { type: "link", linkname: "../../archive" })]),
      "tar",
    ],
    ["a tar with a device", () => tarOf([header("a"), "x"], [header("null", { type: "character-device" })]), "tar"],
    ["a tar with a pipe", () => tarOf([header("a"), "x"], [header("pipe", { type: "fifo" })]), "tar"],
    ["a sparse file", () => tarOf([header("a", { pax: { "GNU.sparse.major": "1" } }), "x"]), "tar"],
    [
      "a tar with a long name that leads out",
      () => tarOf([header("a", { pax: { path: `${"x/".repeat(80)}${"../".repeat(90)}evil` } }), "x"]),
      "tar",
    ],
    [
      "a tar with a name that is not UTF-8",
      async () => withChecksum(Buffer.from((await tarOf([header("aXb"), "x"])).toString("latin1").replace("aXb", "a\xffb"), "latin1")),
      "tar",
    ],
    [
      "a tar with a broken header",
      async () => Buffer.from((await tarOf([header("abc"), "x"])).toString("latin1").replace("abc", "abd"), "latin1"),
      "tar",
    ],
    ["a tar that is cut short", async () => (await tarOf([header("a"), "x".repeat(5_000)])).subarray(0, 2_000), "tar"],
    ["a gzip that is cut short", async () => gzipSync(await tarOf([header("a"), "x".repeat(5_000)])).subarray(0, -20), "tar.gz"],
    ["a tar that says it is gzipped", () => tarOf([header("a"), "x"]), "tar.gz"],
    ["a tar with nothing in it", () => Buffer.alloc(1_024), "tar"],
  ])("%s", async (_, make, format) => {
    const refused = await unpack(format, await make());
    expect(refused).toMatchObject({ ok: false, reason: expect.stringMatching(/\S/) });
    const left = await outside();
    expect(left.filter((name) => name !== "root")).toEqual(["archive", "in"]);
  });

  it("a bomb, before it is unpacked", async () => {
    const limits = { ...ARCHIVE_LIMITS, bytes: 1_000_000, entries: 100 };
    const zeros = gzipSync(Buffer.concat([await tarOf([header("a"), "x"]), Buffer.alloc(50_000_000)]));
    expect(await unpack("tar.gz", zeros, limits)).toMatchObject({ ok: false, reason: "It unpacks to too much." });
    const big = gzipSync(await tarOf([header("a"), "x".repeat(2_000_000)]));
    expect(await unpack("tar.gz", big, limits)).toMatchObject({ ok: false, reason: "It unpacks to too much." });
    const many = gzipSync(await tarOf(...Array.from({ length: 101 }, (_, n): [TarHeader] => [header(`${n}`)])));
    expect(await unpack("tar.gz", many, limits)).toMatchObject({ ok: false, reason: "It has too many entries." });
    expect(await unpack("zip", zipOf([{ name: "a", content: "z".repeat(2_000_000), mode: 0o100_644 }]), limits)).toMatchObject({
      ok: false,
      reason: "It unpacks to too much.",
    });
    expect(await outside()).toEqual(["archive", "in"]);
  });

  it("whatever was changed in it, at random", async () => {
    const good: Record<ArchiveFormat, Buffer> = {
      zip: zipOf([
        { name: "a/b", content: "x".repeat(50), mode: 0o100_644 },
        { name: "l", content: "a/b", mode: 0o120_777 },
      ]),
      tar: await tarOf([header("a/b"), "x".repeat(50)], [header("l", { type: "symlink", linkname: "a/b" })]),
      "tar.gz": gzipSync(await tarOf([header("a/b"), "x".repeat(50)])),
    };
    const flips = fc.array(fc.record({ at: fc.nat(4_000), to: fc.nat(255) }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("zip", "tar", "tar.gz" as const), flips, async (format, changes) => {
        const bytes = Buffer.from(good[format]);
        for (const { at, to } of changes) bytes[at % bytes.length] = to;
        await unpack(format, bytes);
        const left = await outside();
        expect(left.filter((name) => name !== "root")).toEqual(["archive", "in"]);
        await rm(root(), { recursive: true, force: true });
      }),
      { numRuns: 150, seed: 14 },
    );
  });
});

/** Of a tar's first header. */
function withChecksum(tar: Buffer): Buffer {
  tar.fill(32, 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return tar;
}
