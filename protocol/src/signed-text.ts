/**
 * The text that is signed, built here and nowhere else, so that browser and machine cannot disagree about its bytes (SPEC SG1);
 * and the fingerprint of a key as people compare it. Types only are imported: a browser pays nothing for the schemas.
 */
import type { Command, Unsigned } from "./signing.ts";

/**
 * Commands of one lane keep their order; lanes pass each other. A steering prompt overtakes queued ones by nature, an
 * answer overtakes both, and each approval is answered for itself.
 */
export function laneOf(command: Command): string {
  if (command.kind === "prompt") return `${command.delivery}:${command.thread}`;
  if (command.kind === "answer") return `answer:${command.approvalId}`;
  return command.kind === "set_mode" || command.kind === "set_model" ? command.kind : "machine";
}

/** The bytes (UTF-8 of this text) that are signed. Each part is JSON, so that none can run into the next. */
export function signedText(sessionId: string, unsigned: Unsigned, command: Command): string {
  const { keyId, machineId, incarnation, counter, nonce, issuedAt, expiresAt } = unsigned;
  const head = [sessionId, machineId, keyId, incarnation, laneOf(command), counter, nonce, issuedAt, expiresAt];
  return ["aidev-command-v1", JSON.stringify(head), canonical(command)].join("\n");
}

/** JSON with sorted keys and without what is undefined: the same value has one text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}

/** Letters of a fingerprint: none looks like another (Crockford's base 32). */
const FINGERPRINT_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const FINGERPRINT_CHARS = 16;
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** What two people, or two screens, compare: 80 bits of the key's hash, as `7K2M-9QXC-04TB-WZ5H`. */
export function fingerprintOf(keyId: string): string {
  const bits = Array.from(keyId, (char) => BASE64URL.indexOf(char).toString(2).padStart(6, "0")).join("");
  let letters = "";
  for (let at = 0; at < FINGERPRINT_CHARS; at++) letters += FINGERPRINT_LETTERS[Number.parseInt(bits.slice(at * 5, at * 5 + 5), 2)] ?? "";
  return letters.replaceAll(/(.{4})(?=.)/g, "$1-");
}

/** As a person typed it: any case, with or without dashes, with letters that look alike taken for the right ones. */
export function isSameFingerprint(typed: string, fingerprint: string): boolean {
  const plain = (text: string) => text.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  return plain(typed) === plain(fingerprint);
}
