/** The only place in this package that writes to the terminal. Answers go to stdout, everything else to stderr. */

const SECRETS = /\b(sk-ant-[\w-]{6,}|adp(?:[a-z]|_live)_[\w-]{8,})/g;
const BEARER = /(authorization["']?\s*[:=]\s*["']?bearer\s+)[^\s"']+/gi;

/** Replaces keys and tokens, whatever text they are in. */
export const redact = (text: string): string => text.replace(SECRETS, "[redacted]").replace(BEARER, "$1[redacted]");

/** What the person asked for. */
export const answer = (text: string): void => {
  console.log(redact(text));
};

/** A secret that the person asked for by name, this once. */
export const reveal = (text: string): void => {
  console.log(text);
};

/** A text of people may hold anything, also what moves a terminal's cursor. */
// oxlint-disable-next-line no-control-regex -- control characters are what is removed
export const plain = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ");

/** Remarks beside the answer: progress, warnings, the next step. */
export const remark = (text: string): void => {
  console.error(redact(text));
};

/** Colours are for people at a terminal who have not said that they want none (no-color.org). */
const hasColours = (): boolean => process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
const CODES = { good: "32", bad: "31", faint: "2", strong: "1" } as const;

export const paint = (look: keyof typeof CODES, text: string): string => (hasColours() ? `\u001b[${CODES[look]}m${text}\u001b[0m` : text);

export type LogFields = Record<string, string | number | boolean | null | undefined>;
export type Log = (level: "info" | "warn" | "error", event: string, fields?: LogFields) => void;

/** One JSON line per happening, on stderr. */
export const log: Log = (level, event, fields = {}) => {
  console.error(redact(JSON.stringify({ at: new Date().toISOString(), level, event, ...fields })));
};
