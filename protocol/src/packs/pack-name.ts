/** A pack is named by the snapshot that stored it and its number there. */
export const packName = ({ snapshotId, part }: { snapshotId: string; part: number }): string => `${snapshotId}/${part}`;

export function splitPackName(name: string): { snapshotId: string; part: number } {
  const slash = name.lastIndexOf("/");
  return { snapshotId: name.slice(0, slash), part: Number(name.slice(slash + 1)) };
}
