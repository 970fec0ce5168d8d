/**
 * Secrets of share links and of the visits that they open. High entropy, so a plain SHA-256 at rest is enough;
 * the value itself is shown once and kept nowhere.
 */

/** 192 bits: beyond guessing, and still short in a link. */
const LINK_SECRET_BYTES = 24;
/** A visit's cookie. */
const VISIT_TOKEN_BYTES = 32;

const random = (count: number): string => {
  const text = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(count))));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

export const newLinkSecret = (): string => random(LINK_SECRET_BYTES);
export const newVisitToken = (): string => random(VISIT_TOKEN_BYTES);

async function sha256(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}

export async function hashSecret(secret: string): Promise<string> {
  return [...new Uint8Array(await sha256(secret))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compares without telling by time how much is right: both sides are hashed to one length first. */
export async function secretsEqual(a: string, b: string): Promise<boolean> {
  const [hashA, hashB] = await Promise.all([sha256(a), sha256(b)]);
  return crypto.subtle.timingSafeEqual(hashA, hashB);
}

/** What an unknown link is compared with, so that it costs the same work as a known one. */
export const NO_SECRET_HASH = "0".repeat(64);
