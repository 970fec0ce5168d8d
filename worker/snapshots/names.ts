/** Names of stored objects in R2. Everything of a session, and a user's uploads, stand under one prefix: deleting is one walk. */
export const sessionPrefix = (sessionId: string): string => `snapshots/${sessionId}/`;

/** Part `n` counts from 0, in the order of the snapshot's `parts`. */
export const partName = (sessionId: string, snapshotId: string, n: number): string => `${sessionPrefix(sessionId)}${snapshotId}/${n}`;

/** Archives that a user uploaded. */
export const importPrefix = (userId: string): string => `imports/${userId}/`;
export const importName = (userId: string, importId: string): string => `${importPrefix(userId)}${importId}`;
