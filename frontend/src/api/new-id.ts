/** Ids made in the browser, in the protocol's format (prefix, then 26 characters of lower-case base32). */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const RANDOM_BYTES = 26;

const PREFIXES = { prompt: "prm", request: "req" } as const;

export function newId(kind: keyof typeof PREFIXES): string {
  let id = `${PREFIXES[kind]}_`;
  for (const byte of crypto.getRandomValues(new Uint8Array(RANDOM_BYTES))) id += ALPHABET[byte & 31];
  return id;
}
