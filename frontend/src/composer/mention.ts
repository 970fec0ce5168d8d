/** File mentions in the composer: what `@…` stands under the caret, and the text after a path was chosen. Pure. */

export interface Mention {
  /** Index of the `@`. */
  start: number;
  fragment: string;
}

/** An `@` that starts a word; an e-mail address is none. */
export function mentionAt(text: string, caret: number): Mention | null {
  const match = /(^|[\s([{"'`])@([^\s@]*)$/.exec(text.slice(0, caret));
  if (match === null) return null;
  const fragment = match[2] ?? "";
  return { start: caret - fragment.length - 1, fragment };
}

export function insertMention(text: string, caret: number, mention: Mention, path: string): { text: string; caret: number } {
  const before = `${text.slice(0, mention.start)}@${path} `;
  return { text: before + text.slice(caret).replace(/^ /, ""), caret: before.length };
}
