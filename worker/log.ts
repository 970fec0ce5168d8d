/**
 * The one logger of the Worker: JSON lines on the console. Owns redaction, so that a careless field cannot leak a credential;
 * callers still log ids and counts, never bodies or headers.
 */
import type { Logger } from "./session/ports.ts";

type Fields = Record<string, string | number | boolean | null>;

const CREDENTIALS: readonly (readonly [RegExp, string])[] = [
  // A failed query's message carries its values: sign-in tokens, password hashes, secrets' hashes.
  [/\nparams: [\s\S]*?(?=\n {4}at |$)/g, "\nparams: [redacted]"],
  [/\bsk-[\w*-]{6,}/g, "[redacted key]"],
  [/\badp(?:[a-z]|_live)_[\w-]+/g, "[redacted token]"],
  [/\bwhsec_[\w+/=]+/g, "[redacted secret]"],
  // Git hosts' tokens.
  [/\b(?:gh[pousr]_|github_pat_|glpat-)[\w-]+/g, "[redacted token]"],
  [/\b(bearer|basic)\s+[^\s"',]+/gi, "$1 [redacted]"],
  [/("?(?:authorization|x-api-key|cookie|set-cookie|password)"?\s*[:=]\s*)(?!bearer |basic )("[^"]*"|[^\s,;]+)/gi, "$1[redacted]"],
];

/** A stack or a message is cut here: enough to find the place, too little to carry a body. */
const MAX_FIELD_CHARS = 2_000;

export function redact(text: string): string {
  let safe = text;
  for (const [pattern, replacement] of CREDENTIALS) safe = safe.replace(pattern, replacement);
  return safe.length > MAX_FIELD_CHARS ? `${safe.slice(0, MAX_FIELD_CHARS)}…` : safe;
}

const redactFields = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? redact(value) : value]));

/** What a log may say about an exception. */
export function errorFields(error: unknown): Fields {
  if (!(error instanceof Error)) return { error: redact(String(error)) };
  const cause = error.cause instanceof Error ? { cause: redact(error.cause.message) } : {};
  return { error: redact(error.message), stack: redact(error.stack ?? ""), ...cause };
}

export function createLogger(scope: string): Logger {
  const write = (level: "info" | "warn" | "error") => (event: string, fields?: Fields) => {
    const line = JSON.stringify({ level, scope, event, ...(fields === undefined ? {} : redactFields(fields)) });
    console[level](line);
  };
  return { info: write("info"), warn: write("warn"), error: write("error") };
}
