/** What saving and restoring agree on: a stored part on disk, and the names in a staging folder. */

/** A part on disk, ready to be sent or just received. */
export interface PartFile {
  file: string;
  bytes: number;
  sha256: string;
}

/** Where a restore puts things: three names in a staging folder that the caller renames into place. */
export const STAGED = { workspace: "files", agent: "agent", meta: "meta.json" } as const;
