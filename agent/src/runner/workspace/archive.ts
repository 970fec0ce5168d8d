/** The archive format: a whole tree as one compressed tar stream, in parts. */
import { pack } from "./pack.ts";
import type { SnapshotFormat } from "./snapshot-format.ts";
import { unpack } from "./unpack.ts";

export const archiveFormat: SnapshotFormat = { pack, unpack: (partFiles, staging) => unpack(partFiles, staging) };
