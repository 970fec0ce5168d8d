/** What a sandbox's object did for its session, in lines that people read when a start fails. The newest are kept. Pure. */

export const DIARY_LINES = 60;
const LINE_CHARS = 400;

export function write(diary: readonly string[], words: string, now: number): string[] {
  const line = `${new Date(now).toISOString()} sandbox: ${words}`.slice(0, LINE_CHARS);
  return [...diary, line].slice(-DIARY_LINES);
}
