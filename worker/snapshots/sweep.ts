/**
 * Which stored objects of a session are removed: those that no kept state is read from, once they are old (SPEC SN13). Pure.
 * The age keeps apart what was never committed from what is about to be: a commit accepts no part that is nearly that old.
 */
export interface StoredObject {
  key: string;
  uploadedAt: number;
}

export interface Swept {
  remove: string[];
  /** Unmarked, but may yet be committed. */
  young: number;
}

/** `kept`: names below the prefix, `<snapshot>/<part>`. */
export function chooseSwept(objects: readonly StoredObject[], prefix: string, kept: ReadonlySet<string>, uploadedBefore: number): Swept {
  const unmarked = objects.filter(({ key }) => !kept.has(key.slice(prefix.length)));
  const remove = unmarked.filter(({ uploadedAt }) => uploadedAt < uploadedBefore).map(({ key }) => key);
  return { remove, young: unmarked.length - remove.length };
}
