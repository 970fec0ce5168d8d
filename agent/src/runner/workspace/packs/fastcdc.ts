/**
 * Content-defined chunking (FastCDC with normalised chunking, Xia et al., USENIX ATC 2016): an insertion in a large file
 * moves the cuts near it and no others, so that only the chunks around a change are stored again. Pure.
 */
export const MIN_CHUNK_BYTES = 16 * 1_024;
export const AVERAGE_CHUNK_BYTES = 64 * 1_024;
export const MAX_CHUNK_BYTES = 256 * 1_024;

/** 2 bits more than log2(average) before the average, 2 fewer after it: pulls sizes towards the average. */
const STRICT_MASK = 0x0003_ffff << 13;
const LOOSE_MASK = 0x0000_3fff << 17;

/** One fixed random word for each byte. Part of the format: other words only cost deduplication, never correctness. */
const GEAR = gearTable(0x9e37_79b9);

function gearTable(seed: number): Int32Array {
  const table = new Int32Array(256);
  let state = seed | 0;
  for (let index = 0; index < table.length; index += 1) {
    // SplitMix32.
    state = (state + 0x9e37_79b9) | 0;
    let word = state ^ (state >>> 16);
    word = Math.imul(word, 0x21f0_aaad);
    word ^= word >>> 15;
    word = Math.imul(word, 0x735a_2d97);
    table[index] = word ^ (word >>> 15);
  }
  return table;
}

/** Length of the first chunk of `bytes`; all of it when it is short. More bytes behind may move a cut at the very end. */
export function firstCut(bytes: Uint8Array): number {
  const end = Math.min(bytes.length, MAX_CHUNK_BYTES);
  if (end <= MIN_CHUNK_BYTES) return end;
  const middle = Math.min(end, AVERAGE_CHUNK_BYTES);
  let hash = 0;
  let at = MIN_CHUNK_BYTES;
  for (; at < middle; at += 1) {
    hash = ((hash << 1) + (GEAR[bytes[at] ?? 0] ?? 0)) | 0;
    if ((hash & STRICT_MASK) === 0) return at + 1;
  }
  for (; at < end; at += 1) {
    hash = ((hash << 1) + (GEAR[bytes[at] ?? 0] ?? 0)) | 0;
    if ((hash & LOOSE_MASK) === 0) return at + 1;
  }
  return end;
}
