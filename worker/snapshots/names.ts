/** Names of stored objects in R2. Everything of a session stands under one prefix, so that deleting it is one walk. */
export const sessionPrefix = (sessionId: string): string => `snapshots/${sessionId}/`;

/** Part `n` counts from 0, in the order of the snapshot's `parts`. */
export const partName = (sessionId: string, snapshotId: string, n: number): string => `${sessionPrefix(sessionId)}${snapshotId}/${n}`;
