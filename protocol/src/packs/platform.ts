/** What reading and writing packs needs of the place where it runs; each side brings its own, and no second codec. */

export interface PackPlatform {
  /** base64url without padding: 43 characters. */
  sha256(bytes: Uint8Array): string;
  /** One Zstandard frame. Throws for what is none, and for one that holds more than `maxBytes`. */
  decompress(stored: Uint8Array, maxBytes: number): Uint8Array;
  decodeUtf8(bytes: Uint8Array): string;
}

/** Of those who write, too. */
export interface PackWriterPlatform extends PackPlatform {
  compress(raw: Uint8Array): Uint8Array;
  encodeUtf8(text: string): Uint8Array;
}
