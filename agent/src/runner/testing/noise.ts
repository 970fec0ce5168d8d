/** Bytes that do not compress and do not repeat; always the same for a seed. */
export function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = Math.imul(seed + 1, 0x9e37_79b1) | 1;
  for (let at = 0; at < length; at += 1) {
    // Xorshift32.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state >>> 11;
  }
  return bytes;
}
