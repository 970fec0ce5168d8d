import { describe, expect, it } from "vitest";
import { parseKeks } from "./kek.ts";
import { Secret } from "./secret.ts";
import { checkFormat } from "./validate.ts";

const KEY = "sk-ant-api03-abcdefgh_IJKLmnop-0123456789";
const accepted = (pasted: string) => {
  const result = checkFormat(pasted);
  return result.ok ? result.apiKey.reveal() : result.code;
};

describe("the form of a pasted key", () => {
  it.each([
    ["as it is", KEY],
    ["a line end", `${KEY}\r\n`],
    ["a no-break space", `\u00a0${KEY}\u00a0`],
    ["invisible characters", `\ufeff\u200b${KEY}\u200d`],
    ["quotes", `"${KEY}"`],
    ["typographic quotes and spaces", ` “${KEY}” `],
  ])("accepts %s around it", (_, pasted) => expect(accepted(pasted)).toBe(KEY));

  it.each([
    ["an admin key", "sk-ant-admin01-abcdefgh", "key_admin"],
    ["a login token", "sk-ant-oat01-abcdefgh", "key_oauth"],
    ["a refresh token", "sk-ant-ort01-abcdefgh", "key_oauth"],
    ["another provider's key", "sk-proj-abcdefghijkl", "key_format"],
    ["a key in two lines", `sk-ant-api03-abcd\nefghijkl`, "key_format"],
    ["two keys", `${KEY} ${KEY}`, "key_format"],
    ["a key pasted twice", KEY + KEY, "key_format"],
    ["10 KB", `sk-ant-api03-${"a".repeat(10_000)}`, "key_format"],
    ["nothing", "", "key_format"],
    ["a key with a zero-width space inside", "sk-ant-api03-abcd\u200befghijkl", "key_format"],
  ])("refuses %s", (_, pasted, code) => expect(accepted(pasted)).toBe(code));
});

describe("a secret", () => {
  const secret = new Secret("value");
  it("shows nothing of itself as text, JSON, or fields", () => {
    expect([`${String(secret)}`, JSON.stringify({ secret }), Object.keys(secret).length]).toEqual([
      "[redacted]",
      '{"secret":"[redacted]"}',
      0,
    ]);
    expect(secret.reveal()).toBe("value");
  });
});

describe("the operator's key-encryption keys", () => {
  const base64 = (fill: number) => btoa(String.fromCharCode(...new Uint8Array(32).fill(fill)));
  it("reads them newest first", () => {
    expect(parseKeks(`kek-b:${base64(2)}, kek-a:${base64(1)}`)?.map((kek) => kek.kekId)).toEqual(["kek-b", "kek-a"]);
  });

  it.each([
    ["nothing", ""],
    ["a short key", `kek-a:${btoa("short")}`],
    ["no id", base64(1)],
    ["not base64", "kek-a:***"],
    ["an id twice", `kek-a:${base64(1)},kek-a:${base64(2)}`],
    ["an empty part", `kek-a:${base64(1)},`],
  ])("refuses %s as a whole", (_, text) => expect(parseKeks(text)).toBeNull());
});

describe("[MP3] the form of another provider's key", () => {
  const outcome = (pasted: string, provider: "openai" | "openrouter" | "custom") => {
    const result = checkFormat(pasted, provider);
    return result.ok ? result.apiKey.reveal() : result.code;
  };
  it.each([
    ["openai", " “sk-proj-abcdefghijklmnop_-T3BlbkFJ” \n", "sk-proj-abcdefghijklmnop_-T3BlbkFJ"],
    ["openai", "sk-abcdefghijklmnopqrstuvwx", "sk-abcdefghijklmnopqrstuvwx"],
    ["openai", "sk-proj-abcdefghijklmnopsk-proj-abcdefghijklmnop", "key_format"],
    ["openai", "sk-short", "key_format"],
    ["openai", KEY, "key_format"],
    ["openrouter", "sk-or-v1-0123456789abcdef0123", "sk-or-v1-0123456789abcdef0123"],
    ["openrouter", "sk-0123456789abcdef0123", "key_format"],
    ["custom", "ollama", "ollama"],
    ["custom", "gsk_abc.def/ghi+jkl=", "gsk_abc.def/ghi+jkl="],
    ["custom", "a b", "key_format"],
    ["custom", "a\r\nx-evil: 1", "key_format"],
    ["custom", "ключ", "key_format"],
    ["custom", "", "key_format"],
    ["custom", "sk-ant-oat01-abcdefgh", "key_oauth"],
    ["custom", "sk-ant-admin01-abcdefgh", "key_admin"],
  ] as const)("of %s: %j is %s", (provider, pasted, expected) => expect(outcome(pasted, provider)).toBe(expected));
});
