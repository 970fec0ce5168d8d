import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { archiveFormat } from "./archive.ts";
import { AGENT_RULES, WORKSPACE_RULES } from "./save-rules.ts";
import { encodeEntry, encodeHeader, endOfArchive, padding, type TarEntry } from "./tar-codec.ts";
import { walkTree } from "./tree-walk.ts";
import { unpack, UNPACK_LIMITS } from "./unpack.ts";

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "archive-"));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

const folder = async (name: string): Promise<string> => {
  const full = path.join(scratch, name);
  await mkdir(full, { recursive: true });
  return full;
};

async function saveAndRestore(workspace: string, run = "0") {
  const agent = await folder(`agent-${run}`);
  await writeFile(path.join(agent, "history"), "what was said");
  const listing = await walkTree(workspace, WORKSPACE_RULES);
  const packed = await archiveFormat.pack({
    workspace: { root: workspace, listing },
    agent: { root: agent, listing: await walkTree(agent, AGENT_RULES) },
    meta: "{}",
    into: await folder(`parts-${run}`),
  });
  const staging = await folder(`staging-${run}`);
  const unpacked = await archiveFormat.unpack(
    packed.parts.map((part) => part.file),
    staging,
  );
  return { packed, unpacked, staging, restored: path.join(staging, "files") };
}

async function describeTree(root: string, at = ""): Promise<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const name of await readdir(path.join(root, at))) {
    const relative = at === "" ? name : `${at}/${name}`;
    const entry = await lstat(path.join(root, relative));
    if (entry.isSymbolicLink()) out[relative] = `link ${await readlink(path.join(root, relative))}`;
    else if (entry.isDirectory()) Object.assign(out, { [relative]: `folder ${entry.mode & 0o777}` }, await describeTree(root, relative));
    else out[relative] = `file ${entry.mode & 0o777} ${(await readFile(path.join(root, relative))).toString("hex")}`;
  }
  return out;
}

const nameArbitrary = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" }),
    fc.constantFrom(
      "@file",
      "-rf",
      "a\nb",
      " lead",
      "trail ",
      "C:\\x",
      "back\\slash",
      "ünï",
      "=",
      "é".repeat(80),
      "x".repeat(200),
      "tab\there",
    ),
  )
  .filter(
    (name) =>
      !/[/\0]/.test(name) && name !== "." && name !== ".." && Buffer.byteLength(name) <= 255 && Buffer.from(name).toString() === name,
  )
  .filter((name) => WORKSPACE_RULES.judge(name, name, true, new Set()) === "take");

const nodeArbitrary = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    fc.record({
      kind: fc.constant("file" as const),
      content: fc.uint8Array({ maxLength: 2_000 }),
      mode: fc.constantFrom(0o644, 0o755, 0o600, 0o400),
    }),
    fc.record({ kind: fc.constant("link" as const), target: fc.constantFrom("a", "./b", "sub/c", "x".repeat(150), "ünï") }),
    fc.record({
      kind: fc.constant("folder" as const),
      children: fc.dictionary(nameArbitrary, tie("node"), { maxKeys: 4 }),
      mode: fc.constantFrom(0o755, 0o700, 0o555),
    }),
  ),
})).node;

async function make(root: string, children: Record<string, unknown>): Promise<void> {
  for (const [name, value] of Object.entries(children)) {
    const node = value as { kind: string; content: Uint8Array; mode: number; target: string; children: Record<string, unknown> };
    const full = path.join(root, name);
    if (node.kind === "file") await writeFile(full, node.content, { mode: node.mode });
    if (node.kind === "file") await chmod(full, node.mode);
    if (node.kind === "link") await symlink(node.target, full);
    if (node.kind === "folder") {
      await mkdir(full);
      await make(full, node.children);
      await chmod(full, node.mode);
    }
  }
}

/** Many small trees are written: a busy disk needs its time. */
const PROPERTY_TIMEOUT_MS = 30_000;

describe("a saved tree", () => {
  it("comes back as it was, odd names, modes and links included", { timeout: PROPERTY_TIMEOUT_MS }, async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.dictionary(nameArbitrary, nodeArbitrary, { maxKeys: 5 }), async (children) => {
        run += 1;
        const workspace = await folder(`workspace-${run}`);
        await make(workspace, children);
        const { unpacked, restored } = await saveAndRestore(workspace, String(run));
        expect(unpacked).toEqual({ ok: true });
        expect(await describeTree(restored)).toEqual(await describeTree(workspace));
      }),
      { numRuns: 40 },
    );
  });

  it("keeps the times of files", async () => {
    const workspace = await folder("workspace");
    await writeFile(path.join(workspace, "a"), "a");
    const { restored } = await saveAndRestore(workspace);
    const before = Math.floor((await stat(path.join(workspace, "a"))).mtimeMs / 1_000);
    expect((await stat(path.join(restored, "a"))).mtimeMs / 1_000).toBe(before);
  });

  it("names what is left out, with reasons", async () => {
    const workspace = await folder("workspace");
    await mkdir(path.join(workspace, "node_modules"));
    await mkdir(path.join(workspace, "__pycache__"));
    await symlink("/etc/passwd", path.join(workspace, "out"));
    await symlink("../..", path.join(workspace, "up"));
    await writeFile(path.join(workspace, "kept"), "1");
    const { packed, restored } = await saveAndRestore(workspace);
    expect(packed.leftOut).toEqual(
      expect.arrayContaining([
        { path: "node_modules", reason: "dependencies" },
        { path: "__pycache__", reason: "cache" },
        { path: "out", reason: "special_file" },
        { path: "up", reason: "special_file" },
      ]),
    );
    expect(Object.keys(await describeTree(restored))).toEqual(["kept"]);
    expect(packed).toMatchObject({ treeFiles: 1, treeBytes: 1 });
  });

  it("has parts whose sizes and hashes are true", async () => {
    const workspace = await folder("workspace");
    await writeFile(path.join(workspace, "a"), "a".repeat(10_000));
    const { packed } = await saveAndRestore(workspace);
    for (const part of packed.parts) {
      const content = await readFile(part.file);
      expect({ bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") }).toEqual({
        bytes: part.bytes,
        sha256: part.sha256,
      });
    }
  });
});

const plain = (entry: Partial<TarEntry>): TarEntry => ({
  path: "files/x",
  kind: "file",
  mode: 0o644,
  bytes: 0,
  target: "",
  mtimeMs: 0,
  ...entry,
});
const link = (at: string, target: string): Buffer => encodeEntry(plain({ path: at, kind: "link", target }));
const special = (type: "FIFO" | "CharacterDevice" | "Link", at = "files/x"): Buffer =>
  encodeHeader({ path: at, type, mode: 0o644, size: 0, mtimeMs: 0, linkpath: type === "Link" ? "files/../../../etc/passwd" : "" });
const content = Buffer.from("evil");
const withContent = (entry: Partial<TarEntry>): Buffer =>
  Buffer.concat([encodeEntry(plain({ ...entry, bytes: content.length })), content, padding(content.length)]);

const HOSTILE: Record<string, Buffer[]> = {
  "a name that climbs": [withContent({ path: "files/../../escaped" })],
  "an absolute name": [withContent({ path: "/tmp/escaped" })],
  "a name outside the layers": [withContent({ path: "escaped" })],
  "a file through a link": [link("files/l", "sub"), withContent({ path: "files/l/escaped" })],
  "an absolute link": [link("files/l", "/etc/passwd")],
  "a link that climbs": [link("files/l", "../../escaped")],
  "links that climb together": [
    encodeEntry(plain({ path: "files/a", kind: "folder", mode: 0o755 })),
    encodeEntry(plain({ path: "files/a/b", kind: "folder", mode: 0o755 })),
    link("files/a/b/top", "../.."),
    link("files/out", "a/b/top/.."),
  ],
  "a file over a link": [link("files/x", "y"), withContent({ path: "files/x" })],
  "a folder over a link": [link("files/x", "y"), encodeEntry(plain({ kind: "folder", mode: 0o755 }))],
  "a setuid file": [withContent({ mode: 0o4755 })],
  "a FIFO": [special("FIFO")],
  "a device": [special("CharacterDevice")],
  "a hard link": [special("Link")],
  "a name with an empty piece": [withContent({ path: "files//x" })],
  "a name with a dot": [withContent({ path: "files/./x" })],
  "a name that is too long": [withContent({ path: `files/${"x".repeat(300)}` })],
  "a tree that is too deep": Array.from({ length: 70 }, (_, index) =>
    encodeEntry(plain({ path: `files${"/d".repeat(index + 1)}`, kind: "folder", mode: 0o755 })),
  ),
};

describe("[SN4] a hostile archive", () => {
  const attempt = async (blocks: Buffer[], end = endOfArchive()) => {
    const staging = await folder("in/staging");
    const part = path.join(scratch, "part-0");
    await writeFile(part, zstdCompressSync(Buffer.concat([...blocks, end])));
    const result = await unpack([part], staging);
    return { result, around: [...(await readdir(scratch)), ...(await readdir(path.join(scratch, "in")))].sort() };
  };

  for (const [what, blocks] of Object.entries(HOSTILE)) {
    it(`is refused without a trace outside staging: ${what}`, async () => {
      const { result, around } = await attempt(blocks);
      expect(result.ok).toBe(false);
      expect(around).toEqual(["in", "part-0", "staging"]);
    });
  }

  it("is refused when it ends too early", async () => {
    const { result } = await attempt([encodeEntry(plain({ bytes: 100 }))], Buffer.alloc(0));
    expect(result).toMatchObject({ ok: false, detail: "the archive ends too early" });
  });

  it("is refused when it is not an archive", async () => {
    const part = path.join(scratch, "noise");
    await writeFile(part, "not an archive");
    expect((await unpack([part], await folder("staging"))).ok).toBe(false);
  });

  it("is refused when it unpacks to far more than it stores", async () => {
    const part = path.join(scratch, "bomb");
    const zeros = Buffer.alloc(4_000_000);
    await writeFile(part, zstdCompressSync(Buffer.concat([encodeEntry(plain({ bytes: zeros.length })), zeros, endOfArchive()])));
    const result = await unpack([part], await folder("staging"), { ...UNPACK_LIMITS, ratioFloorBytes: 1_000_000 });
    expect(result).toEqual({ ok: false, detail: "the archive unpacks to too much" });
  });

  it("never gets past the checks, whatever its bytes are", { timeout: PROPERTY_TIMEOUT_MS }, async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.uint8Array({ minLength: 512, maxLength: 512 }), fc.constant(withContent({}))), { maxLength: 6 }),
        async (blocks) => {
          run += 1;
          const staging = await folder(`fuzz-${run}/staging`);
          const part = path.join(scratch, `fuzz-${run}`, "part");
          await writeFile(part, zstdCompressSync(Buffer.concat([...blocks.map((block) => Buffer.from(block)), endOfArchive()])));
          await unpack([part], staging);
          expect((await readdir(path.join(scratch, `fuzz-${run}`))).sort()).toEqual(["part", "staging"]);
        },
      ),
      { numRuns: 50 },
    );
  });
});
