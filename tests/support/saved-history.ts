/** What tests in workerd ask of the far end that writes saved states with the agent's own code, and what it answers. */
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";

export type Edit =
  | { do: "write"; path: string; text: string; mode?: number }
  /** Bytes that do not compress and do not repeat. */
  | { do: "noise"; path: string; bytes: number; seed: number }
  | { do: "folder" | "remove"; path: string }
  | { do: "link"; path: string; target: string };

export interface DiskEntry {
  kind: "file" | "folder" | "link";
  mode: number;
  bytes: number;
  /** Of a file, base64url. */
  sha256: string;
  target: string;
}
export interface SavedHistory {
  states: { ref: SnapshotRef; disk: Record<string, DiskEntry> }[];
  /** base64, by `<snapshot>/<part>`. */
  packs: Record<string, string>;
}
export interface HistoryRequest {
  /** One for each round. */
  snapshotIds: string[];
  rounds: Edit[][];
}
