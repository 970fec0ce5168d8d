/**
 * How an API token is written: a prefix that a scanner for leaks finds, 32 characters of base62 (190 random bits), and 6 of
 * checksum, so that noise is refused without a look into the database. Owns nothing stored. SPEC AT1.
 */
import { API_TOKEN_CHECKSUM_CHARS, API_TOKEN_PREFIX, API_TOKEN_RANDOM_CHARS } from "@ai-dev-platform/protocol/api/access";
import { crc32 } from "../encoding.ts";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** The largest multiple of 62 in a byte: above it, a remainder would make some characters likelier than others. */
const FAIR_BYTES = 248;
const SHAPE = new RegExp(`^${API_TOKEN_PREFIX}([0-9A-Za-z]{${API_TOKEN_RANDOM_CHARS}})([0-9A-Za-z]{${API_TOKEN_CHECKSUM_CHARS}})$`);
/** Shown to its owner, to tell tokens apart. Of the checksum: nothing secret is told by it. */
const LAST_CHARS = 4;

/** `randomBytes` as the platform gives them; asked again until enough of them were fair. */
export function newApiToken(randomBytes: (count: number) => Uint8Array): string {
  let random = "";
  while (random.length < API_TOKEN_RANDOM_CHARS) {
    for (const byte of randomBytes(API_TOKEN_RANDOM_CHARS)) {
      if (byte < FAIR_BYTES && random.length < API_TOKEN_RANDOM_CHARS) random += BASE62[byte % BASE62.length];
    }
  }
  return `${API_TOKEN_PREFIX}${random}${checksum(random)}`;
}

/** Whether this may be one of ours. A typo, another service's token or one of another environment may not. */
export function isApiToken(text: string): boolean {
  const [, random, sum] = SHAPE.exec(text) ?? [];
  return random !== undefined && sum === checksum(random);
}

export const lastCharsOf = (token: string): string => token.slice(-LAST_CHARS);

function checksum(random: string): string {
  let rest = crc32(random);
  let text = "";
  for (let place = 0; place < API_TOKEN_CHECKSUM_CHARS; place += 1) {
    text = `${BASE62[rest % BASE62.length]}${text}`;
    rest = Math.floor(rest / BASE62.length);
  }
  return text;
}
