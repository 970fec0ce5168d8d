import { expect, it } from "vitest";
import { workerPacks } from "../../worker/snapshots/pack-store.ts";

const KIB = 1_024;
const SIZES = [1, 204, 16 * KIB, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 100_000, 128 * KIB, 300_000, 777_777, KIB * KIB];

const noise = (bytes: number): Uint8Array<ArrayBuffer> => {
  const filled = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(filled.subarray(at, Math.min(bytes, at + 65_536)));
  return filled;
};

/** As the agent does it: this runtime itself compresses no more than 64 KB. */
const compressed = async (raw: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
  (await fetch("http://packs.test/compress", { method: "POST", body: raw })).bytes();

it.each(SIZES)("[SN10] unpacks a block of %i bytes whose limit is its exact size", async (bytes) => {
  for (const raw of [noise(bytes), new Uint8Array(bytes).fill(97)])
    expect(workerPacks.sha256(workerPacks.decompress(await compressed(raw), bytes))).toBe(workerPacks.sha256(raw));
});

it("[SN10] stops at a frame that unpacks to far more than it may", async () => {
  const bomb = await compressed(new Uint8Array(16 * KIB * KIB));
  expect(() => workerPacks.decompress(bomb, KIB)).toThrow();
});
