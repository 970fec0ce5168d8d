/** Addresses of what a person takes away as files. They are plain links: the browser shows how far a download is. */
import type { ArchiveDownload } from "@ai-dev-platform/protocol/http";

const stateBase = (sessionId: string, snapshotId: string): string =>
  `/api/sessions/${encodeURIComponent(sessionId)}/snapshots/${encodeURIComponent(snapshotId)}`;

/** All files of a saved state; `withGit`: and the `.git` folder. */
export const archivePath = (sessionId: string, snapshotId: string, format: ArchiveDownload, withGit: boolean): string =>
  `${stateBase(sessionId, snapshotId)}/archive?format=${format}&git=${withGit ? 1 : 0}`;

/** One file of a saved state. */
export const savedFilePath = (sessionId: string, snapshotId: string, path: string): string =>
  `${stateBase(sessionId, snapshotId)}/file?path=${encodeURIComponent(path)}`;
