/** Reads exact numbers of bytes from a stream of chunks. */
export class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #chunks: Buffer[] = [];
  #held = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Exactly `bytes` bytes; null when the stream ends before. */
  async read(bytes: number): Promise<Buffer | null> {
    while (this.#held < bytes) {
      const next = await this.#source.next();
      if (next.done === true) return null;
      this.#chunks.push(next.value);
      this.#held += next.value.length;
    }
    const joined = this.#chunks.length === 1 && this.#chunks[0] !== undefined ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#chunks = [joined.subarray(bytes)];
    this.#held = joined.length - bytes;
    return joined.subarray(0, bytes);
  }

  /** Skips what fills the last block after `bytes` bytes of content. */
  async skipPadding(bytes: number, blockBytes: number): Promise<void> {
    await this.read((blockBytes - (bytes % blockBytes)) % blockBytes);
  }
}
