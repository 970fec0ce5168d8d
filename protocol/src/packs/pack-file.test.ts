import { createHash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { addUp } from "./add-up.ts";
import { judgeTrees, RESTORE_LIMITS } from "./judge-tree.ts";
import { ManifestBuilder, type SavedEntry } from "./manifest.ts";
import { decodeBlock, decodeFooter, decodeTail, encodeTail, FOOTER_BYTES, type Tail } from "./pack-file.ts";
import type { PackWriterPlatform } from "./platform.ts";

const platform: PackWriterPlatform = {
  sha256: (bytes) => createHash("sha256").update(bytes).digest("base64url"),
  decompress: (stored, maxBytes) => zstdDecompressSync(stored, { maxOutputLength: maxBytes }),
  compress: (raw) => zstdCompressSync(raw),
  decodeUtf8: (bytes) => new TextDecoder().decode(bytes),
  encodeUtf8: (text) => new TextEncoder().encode(text),
};

const file = (change: Partial<SavedEntry> = {}): SavedEntry => ({
  kind: "file",
  mode: 0o644,
  mtimeMs: 1.5,
  target: "",
  sha256: platform.sha256(new Uint8Array()),
  chunks: [],
  ...change,
});

function tailOf(entries: [string, SavedEntry][], meta = "{}"): Tail {
  const builder = new ManifestBuilder();
  for (const [path, entry] of entries) builder.set("src", path, entry);
  return {
    blocks: [{ offset: 0, storedBytes: 9, rawBytes: 40, sha256: platform.sha256(Buffer.from("x")) }],
    manifest: builder.build("full", meta),
  };
}

function split(bytes: Uint8Array): { stored: Uint8Array; footer: Uint8Array } {
  return { stored: bytes.subarray(0, bytes.length - FOOTER_BYTES), footer: bytes.subarray(bytes.length - FOOTER_BYTES) };
}

describe("a pack's tail", () => {
  it("comes back as it was written, for any content", () => {
    // Many contents, so that the hash in the footer takes every shape of base64url.
    for (let n = 0; n < 200; n += 1) {
      const tail = tailOf([[`f${n}`, file()]], `{"n":${n}}`);
      const { stored, footer } = split(encodeTail(tail, 9, platform));
      const decoded = decodeFooter(footer, 9 + stored.length + FOOTER_BYTES);
      if (!decoded.ok) throw new Error(decoded.detail);
      expect(decoded.value).toMatchObject({ tailOffset: 9, tailBytes: stored.length, tailSha256: platform.sha256(stored) });
      expect(decodeTail(stored, decoded.value, platform)).toEqual({ ok: true, value: tail });
    }
  });

  it("keeps the bytes of the format: hash at 16, reserved at 48, name at the end", () => {
    const { stored, footer } = split(encodeTail(tailOf([]), 9, platform));
    expect(Buffer.from(footer.subarray(0, 4)).readUInt32LE()).toBe(2);
    expect(Buffer.from(footer.subarray(16, 48))).toEqual(createHash("sha256").update(stored).digest());
    expect([...footer.subarray(48, 56)]).toEqual(Array(8).fill(0));
    expect(Buffer.from(footer.subarray(56)).toString("latin1")).toBe("ADPPACK\n");
  });

  it("is refused when a byte of the footer is another, or the pack has another size", () => {
    const { stored, footer } = split(encodeTail(tailOf([]), 9, platform));
    const size = 9 + stored.length + FOOTER_BYTES;
    for (let at = 0; at < FOOTER_BYTES; at += 1) {
      const bad = Uint8Array.from(footer);
      bad[at] = (bad[at] ?? 0) ^ 1;
      const decoded = decodeFooter(bad, size);
      expect(decoded.ok && decodeTail(stored, decoded.value, platform).ok, `byte ${at}`).toBe(false);
    }
    for (const length of [0, FOOTER_BYTES, size - 1, size + 1]) expect(decodeFooter(footer, length).ok).toBe(false);
    expect(decodeFooter(footer.subarray(1), size).ok).toBe(false);
  });
});

describe("a block", () => {
  const raw = Buffer.from("what is in it, and what is in it again");
  const stored = zstdCompressSync(raw);
  const block = { offset: 0, storedBytes: stored.length, rawBytes: raw.length, sha256: platform.sha256(stored) };

  it("is read, and refused when its bytes, its size or its hash differ", () => {
    const decoded = decodeBlock(stored, block, platform);
    expect(decoded.ok && Buffer.from(decoded.value).equals(raw)).toBe(true);
    expect(decodeBlock(stored.subarray(1), block, platform).ok).toBe(false);
    expect(decodeBlock(stored, { ...block, rawBytes: raw.length - 1 }, platform).ok).toBe(false);
    expect(decodeBlock(stored, { ...block, rawBytes: raw.length + 1 }, platform).ok).toBe(false);
    expect(decodeBlock(raw, { ...block, sha256: platform.sha256(raw) }, platform).ok).toBe(false);
  });
});

describe("names", () => {
  const judged = (path: string) => {
    const manifest = tailOf([[path, file()]]).manifest;
    const summed = addUp(manifest === null ? [] : [manifest], (entry) => entry);
    return summed.ok ? judgeTrees(summed.layers, 1, RESTORE_LIMITS) : summed.detail;
  };

  it("[SN4] are measured in bytes of UTF-8", () => {
    expect([judged("x".repeat(255)), judged("é".repeat(127)), judged("€".repeat(85)), judged("😀".repeat(63))]).toEqual(
      Array(4).fill(null),
    );
    for (const long of ["x".repeat(256), "é".repeat(128), "€".repeat(86), "😀".repeat(64)]) expect(judged(long)).toContain("too long");
  });

  it("[SN4] are refused with half a character", () => {
    expect(judged(`a${String.fromCharCode(0xd83d)}b`)).toContain("is no text");
    expect(judged(`a${String.fromCharCode(0xde00)}`)).toContain("is no text");
    expect(judged("😀")).toBeNull();
  });
});
