/**
 * Where the bytes of a pack come from while it is restored: a file here, or ranges of a stored object. A source proves
 * nothing about what it hands out but its length; `restore-packs.ts` checks the rest.
 */
import { open } from "node:fs/promises";

export interface PackSource {
  /** `<snapshot id>/<part>` */
  name: string;
  bytes: number;
  /** Of the whole pack, hex: as its reference says. */
  sha256: string;
  /** Exactly these bytes. Throws `Refusal` when they are not there, `Unreachable` when they may be there later. */
  read(offset: number, bytes: number): Promise<Uint8Array>;
  /** The pack's table has been read: what was held for it may go. */
  forgetEnd?(): Promise<void>;
  close(): Promise<void>;
}

/** What was read will never be a whole snapshot. */
export class Refusal extends Error {}
/** It could not be read now; it may be whole. */
export class Unreachable extends Error {}

export interface FetchedPack {
  name: string;
  file: string;
  bytes: number;
  sha256: string;
}

export async function fileSource({ name, file, bytes, sha256 }: FetchedPack): Promise<PackSource> {
  const handle = await open(file, "r");
  return {
    name,
    bytes,
    sha256,
    async read(offset, length) {
      const buffer = Buffer.allocUnsafe(length);
      const { bytesRead } = await handle.read(buffer, 0, length, offset);
      if (bytesRead !== length) throw new Refusal("a pack ends too early");
      return buffer;
    },
    close: () => handle.close(),
  };
}
