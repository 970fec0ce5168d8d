/** How a saved state is stored as bytes: a role, so that another format can take its place. */
import type { LeftOut } from "@ai-dev-platform/protocol/snapshot";
import type { Listing } from "./tree-walk.ts";

/** A part on disk, ready to be sent or just received. */
export interface PartFile {
  file: string;
  bytes: number;
  sha256: string;
}

export interface PackInput {
  workspace: { root: string; listing: Listing };
  agent: { root: string; listing: Listing };
  /** What else must come back with the files, as one JSON document. */
  meta: string;
  /** An empty folder for the parts. */
  into: string;
}

export interface Packed {
  parts: PartFile[];
  treeBytes: number;
  treeFiles: number;
  leftOut: LeftOut[];
}

/** Where `unpack` puts things: three names in a staging folder that the caller renames into place. */
export const STAGED = { workspace: "files", agent: "agent", meta: "meta.json" } as const;

export type Unpacked = { ok: true } | { ok: false; detail: string };

export interface SnapshotFormat {
  pack(input: PackInput): Promise<Packed>;
  /** Checks every entry as it is written; a refused archive leaves nothing outside `staging`. */
  unpack(partFiles: readonly string[], staging: string): Promise<Unpacked>;
}
