import { describe, expect, it } from "vitest";
import { crc32 } from "../encoding.ts";
import { isApiToken, lastCharsOf, newApiToken } from "./token-format.ts";

const random = (count: number) => crypto.getRandomValues(new Uint8Array(count));

describe("an API token", () => {
  it("[AT1] has the prefix, 32 characters of base62 and 6 of checksum", () => {
    const token = newApiToken(random);
    expect(token).toMatch(/^adp_live_[0-9A-Za-z]{38}$/);
    expect(isApiToken(token)).toBe(true);
    expect(lastCharsOf(token)).toBe(token.slice(-4));
  });

  it("[AT1] is the same text for the same bytes, with the checksum that anybody can compute", () => {
    expect(crc32("123456789")).toBe(0xcbf43926);
    const token = newApiToken((count) => new Uint8Array(count));
    let rest = crc32("0".repeat(32));
    let sum = "";
    const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    while (sum.length < 6) {
      sum = (alphabet[rest % 62] ?? "") + sum;
      rest = Math.floor(rest / 62);
    }
    expect(token).toBe(`adp_live_${"0".repeat(32)}${sum}`);
  });

  it("[AT1] differs in one character: no longer one of ours", () => {
    const token = newApiToken(random);
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === "x" ? "y" : "x";
      expect(isApiToken(token.slice(0, at) + other + token.slice(at + 1))).toBe(false);
    }
  });

  it.each(["", "adp_live_", "sk-proj-abc", "sk-ant-api03-x", "adp_test_", "adpm_ses_1_x", "Bearer adp_live_"])(
    "[AT1] of another kind is refused: %j",
    (text) => {
      const body = newApiToken(random).slice("adp_live_".length);
      expect(isApiToken(text + body)).toBe(text === "adp_live_");
      expect(isApiToken(text)).toBe(false);
    },
  );

  it("[AT1] takes no byte that would make some characters likelier", () => {
    const given = [...Array.from({ length: 32 }, () => 255), ...Array.from({ length: 32 }, (_, index) => index)];
    let at = 0;
    const token = newApiToken((count) => Uint8Array.from(given.slice(at, (at += count))));
    expect(token.slice("adp_live_".length, -6)).toBe("0123456789ABCDEFGHIJKLMNOPQRSTUV");
  });

  it("[AT1] uses every character about as often", () => {
    const seen = new Map<string, number>();
    const tokens = 4_000;
    for (let count = 0; count < tokens; count += 1) {
      for (const char of newApiToken(random).slice("adp_live_".length, -6)) seen.set(char, (seen.get(char) ?? 0) + 1);
    }
    const expected = (tokens * 32) / 62;
    expect(seen.size).toBe(62);
    // Six standard deviations of a fair draw.
    for (const times of seen.values()) expect(Math.abs(times - expected)).toBeLessThan(6 * Math.sqrt(expected));
  });
});
