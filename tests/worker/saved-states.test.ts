/** The Worker's reader of packs in workerd, over packs that the agent's own code wrote. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { allParts, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { BlockReader, byPlace } from "../../worker/snapshots/block-reader.ts";
import { compareTrees, NO_ENTRIES } from "../../worker/snapshots/differences.ts";
import { partName } from "../../worker/snapshots/names.ts";
import { r2PackStore, Unreadable, workerPacks } from "../../worker/snapshots/pack-store.ts";
import { readSavedTree } from "../../worker/snapshots/saved-tree.ts";
import { freshId } from "../support/worker/session-fakes.ts";
import type { DiskEntry, Edit } from "../support/saved-history.ts";
import { saveHistory, write } from "../support/worker/saved-states.ts";

/** Each writes its own saved states with the agent's code, which takes a while on a busy computer. */
vi.setConfig({ testTimeout: 60_000 });

const read = (sessionId: string, ref: SnapshotRef) => readSavedTree(r2PackStore(env.BUCKET, sessionId), ref);

async function contentOf(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** What the reader finds, in the words of the disk; every file read and hashed. */
async function found(sessionId: string, ref: SnapshotRef): Promise<Record<string, DiskEntry>> {
  const tree = await read(sessionId, ref);
  const reader = new BlockReader(tree, tree.entries.values());
  const entries: Record<string, DiskEntry> = {};
  for (const [path, entry] of [...tree.entries].toSorted(byPlace)) {
    const content = entry.kind === "file" ? await contentOf(reader.content(entry)) : null;
    const sha256 = content === null ? "" : workerPacks.sha256(content);
    entries[path] = { kind: entry.kind, mode: entry.mode, bytes: content?.length ?? 0, sha256, target: entry.target };
  }
  return entries;
}

/** A link's own permission bits mean nothing. */
const plain = (disk: Record<string, DiskEntry>) =>
  Object.fromEntries(Object.entries(disk).map(([path, entry]) => [path, entry.kind === "link" ? { ...entry, mode: 0o777 } : entry]));

const name = fc.constantFrom("a", "b.txt", "ünï", "a\nb", "d/x", "d/e/z", ".git/HEAD");
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ do: fc.constant("write" as const), path: name, text: fc.string({ maxLength: 200 }), mode: fc.constantFrom(0o644, 0o755) }),
  fc.record({
    do: fc.constant("noise" as const),
    path: fc.constantFrom("big", "d/large"),
    bytes: fc.constantFrom(900_000, 2_500_000),
    seed: fc.nat(3),
  }),
  fc.record({ do: fc.constant("remove" as const), path: name }),
  fc.record({ do: fc.constant("link" as const), path: fc.constantFrom("l", "m"), target: fc.constantFrom("a", "d", "nowhere") }),
);

describe("reading saved states in the Worker", () => {
  it("[SN10] finds in every state of any history exactly what the disk held", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(edit, { maxLength: 4 }), { minLength: 1, maxLength: 4 }), async (rounds) => {
        const sessionId = freshId("session");
        for (const { ref, disk } of await saveHistory(sessionId, [[write("base", "0")], ...rounds]))
          expect(plain(await found(sessionId, ref))).toEqual(plain(disk));
      }),
      { numRuns: 5, endOnFailure: true },
    );
  });

  it("[SN10] adds up a chain of many saves, compaction included, and packs of several ranges", async () => {
    const sessionId = freshId("session");
    const rounds: Edit[][] = Array.from({ length: 24 }, (_, n) => [write(`f${n % 5}`, `round ${n}`), ...(n === 2 ? [large] : [])]);
    const states = await saveHistory(sessionId, rounds);
    for (const { ref, disk } of [states[0], states[16], states[23]].flatMap((state) => state ?? []))
      expect(plain(await found(sessionId, ref))).toEqual(plain(disk));
  });
  const large: Edit = { do: "noise", path: "large.bin", bytes: 6_000_000, seed: 9 };

  it("[SN10] is refused when any stored byte is another, a part is missing, or the format is", async () => {
    const sessionId = freshId("session");
    const [state] = await saveHistory(sessionId, [[write("a.txt", "content"), { do: "noise", path: "n", bytes: 600, seed: 1 }]]);
    if (state === undefined) throw new Error("nothing was saved");
    const [part] = allParts(state.ref);
    if (part === undefined) throw new Error("no part");
    const key = partName(sessionId, part.snapshotId, part.part);
    const good = new Uint8Array(await (await env.BUCKET.get(key))!.arrayBuffer());
    // Stored with a checksum of its own, so that it is the reader who must notice.
    for (let at = 0; at < good.length; at += 23) {
      const bad = Uint8Array.from(good);
      bad[at] = (bad[at] ?? 0) ^ 0x20;
      const sha256 = [...new Uint8Array(await crypto.subtle.digest("SHA-256", bad))]
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join("");
      await env.BUCKET.put(key, bad, { sha256 });
      await expect(found(sessionId, state.ref), `byte ${at}, the reference as it was`).rejects.toThrow(Unreadable);
      const trusting = { ...state.ref, parts: [{ bytes: bad.length, sha256 }] };
      await expect(found(sessionId, trusting), `byte ${at}, another reference`).rejects.toThrow(Unreadable);
    }
    await env.BUCKET.delete(key);
    await expect(found(sessionId, state.ref)).rejects.toThrow("missing");
    await expect(found(sessionId, { ...state.ref, format: 3 })).rejects.toThrow("format 3");
  });

  it("compares states by their tables", async () => {
    const sessionId = freshId("session");
    const [one, two] = await saveHistory(sessionId, [
      [
        write("same", "s"),
        write("other", "1"),
        write("gone", "g"),
        write("tool", "t"),
        write(".git/index", "1"),
        { do: "link", path: "l", target: "same" },
      ],
      [
        write("other", "22"),
        { do: "remove", path: "gone" },
        write("d/new", "n"),
        write("tool", "t", 0o755),
        write("same", "s"),
        write(".git/index", "2"),
        { do: "link", path: "l", target: "tool" },
      ],
    ]);
    if (one === undefined || two === undefined) throw new Error("not saved");
    const [before, after] = [await read(sessionId, one.ref), await read(sessionId, two.ref)];
    expect(compareTrees(before.entries, after.entries)).toEqual({
      truncated: false,
      files: [
        { path: "d/new", status: "added", bytesBefore: null, bytesAfter: 1 },
        { path: "gone", status: "deleted", bytesBefore: 1, bytesAfter: null },
        { path: "l", status: "modified", bytesBefore: 4, bytesAfter: 4 },
        { path: "other", status: "modified", bytesBefore: 1, bytesAfter: 2 },
        { path: "tool", status: "modified", bytesBefore: 1, bytesAfter: 1 },
      ],
    });
    expect(compareTrees(after.entries, after.entries).files).toEqual([]);
    expect(compareTrees(NO_ENTRIES, before.entries).files.map(({ path }) => path)).toEqual(["gone", "l", "other", "same", "tool"]);
  });
});
