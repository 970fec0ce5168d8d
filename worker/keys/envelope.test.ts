import { describe, expect, it } from "vitest";
import { toHex } from "../encoding.ts";
import {
  dataAad,
  fingerprint,
  importKek,
  lengthPrefixed,
  open,
  rewrap,
  seal,
  wrapAad,
  type Envelope,
  type EnvelopeOwner,
  type Kek,
} from "./envelope.ts";

const range = (from: number, count: number) => Uint8Array.from({ length: count }, (_, index) => from + index);
const concat = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const utf8 = (text: string) => new Uint8Array(new TextEncoder().encode(text));

const OWNER: EnvelopeOwner = { userId: "user_01H", keyId: "key_01J", provider: "anthropic" };
const PLAINTEXT = "sk-ant-api03-TESTONLY-0000000000000000000000000000";
const kek = async (kekId = "kek-2026-01", from = 0): Promise<Kek> => ({ kekId, key: await importKek(range(from, 32)) });
const material = () => ({ dek: concat(range(0xf0, 16), range(0xe0, 16)), dekIv: range(0xa0, 12), dataIv: range(0xb0, 12) });
const sealKnown = async () => seal(utf8(PLAINTEXT), OWNER, 1, await kek(), material());
const finder =
  (...keks: Kek[]) =>
  (kekId: string) =>
    keks.find((known) => known.kekId === kekId) ?? null;
const openKnown = async (envelope: Envelope, owner = OWNER) => open(envelope, owner, finder(await kek()));
const damaged = { ok: false, reason: "damaged" };

describe("known answers of format 1", () => {
  it("prefixes each field of the authenticated data with its length", () => {
    expect(toHex(wrapAad("kek-2026-01", OWNER))).toBe(
      "000862796f6b2d64656b00027631000b6b656b2d323032362d30310008757365725f30314800076b65795f30314a",
    );
    expect(toHex(dataAad(OWNER, 1))).toBe(
      "000b62796f6b2d736563726574000276310008757365725f30314800076b65795f30314a0009616e7468726f706963000131",
    );
  });

  it("wraps the data key to the known bytes", async () => {
    expect(toHex((await sealKnown()).dekCt)).toBe(
      "16e98edeb13ef4489a9c7d28fb873e21904dbbf37652a48b74e7cc6d93469beeee3aee3325065a8e0cb31de0180b7562",
    );
  });

  it("seals the key to the known bytes", async () => {
    expect(toHex((await sealKnown()).dataCt)).toBe(
      "9b3102ec0880bf0a62af5404cece7f231b53b3cab43caaeed7498024eb448737cf62aedf078e118edda3df903989ce31ccfd43c4778238ae873bc662e0343e56d6cb",
    );
  });

  it("gives the known fingerprint", async () => {
    expect(toHex(await fingerprint(utf8(PLAINTEXT), range(0x20, 32)))).toBe(
      "0b0e21846c70ec5e48e85193499c4d6638483d3fe55fa4a9a8e3e85e68b79413",
    );
  });

  it("opens what it sealed", async () => {
    const opened = await openKnown(await sealKnown());
    expect(opened.ok && new TextDecoder().decode(opened.secret)).toBe(PLAINTEXT);
  });
});

describe("what must not open", () => {
  const owners: [string, EnvelopeOwner][] = [
    ["another user", { ...OWNER, userId: "user_02H" }],
    ["another key id", { ...OWNER, keyId: "key_02J" }],
    ["another provider", { ...OWNER, provider: "openai" }],
    ["a shifted field boundary", { ...OWNER, userId: "user_01Hk", keyId: "ey_01J" }],
    ["empty names", { userId: "", keyId: "", provider: "" }],
  ];
  it.each(owners)("refuses %s", async (_, owner) => {
    expect(await openKnown(await sealKnown(), owner)).toEqual(damaged);
  });

  it("refuses another row version", async () => {
    expect(await openKnown({ ...(await sealKnown()), rowVersion: 2 })).toEqual(damaged);
  });

  it("refuses another format", async () => {
    expect(await openKnown({ ...(await sealKnown()), fmt: 2 })).toEqual(damaged);
  });

  const fields = ["dekIv", "dekCt", "dataIv", "dataCt"] as const;
  it.each(fields)("refuses %s with any single bit flipped at its start, middle or end", async (field) => {
    const sealed = await sealKnown();
    const size = sealed[field].byteLength;
    for (const at of [0, Math.min(40, size >> 1), size - 1]) {
      for (let bit = 0; bit < 8; bit += 1) {
        const bytes = sealed[field].slice();
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        expect(await openKnown({ ...sealed, [field]: bytes })).toEqual(damaged);
      }
    }
  });

  it.each([4, 8, 12, 13])("refuses a tag truncated to %i bytes", async (tagBytes) => {
    const sealed = await sealKnown();
    const cut = 16 - tagBytes;
    expect(await openKnown({ ...sealed, dataCt: sealed.dataCt.slice(0, -cut) })).toEqual(damaged);
    expect(await openKnown({ ...sealed, dekCt: sealed.dekCt.slice(0, -cut) })).toEqual(damaged);
  });

  it("refuses lengths that are not the format's, before any key is used", async () => {
    const sealed = await sealKnown();
    const never = () => {
      throw new Error("a key was asked for");
    };
    for (const wrong of [
      { dekIv: range(0, 8) },
      { dataIv: range(0, 16) },
      { dataCt: new Uint8Array() },
      { dataCt: new Uint8Array(16) },
      { dataCt: new Uint8Array(1_048_576) },
      { dekCt: range(0, 32) },
    ]) {
      expect(await open({ ...sealed, ...wrong }, OWNER, never)).toEqual(damaged);
    }
  });

  it("refuses an unknown key-encryption key, and a known id with other bytes", async () => {
    const sealed = await sealKnown();
    expect(await open(sealed, OWNER, finder())).toEqual({ ok: false, reason: "kek_unknown" });
    expect(await open(sealed, OWNER, finder(await kek("kek-2026-01", 1)))).toEqual(damaged);
  });

  it("refuses parts of two envelopes of one owner put together", async () => {
    const [a, b] = [await sealKnown(), await seal(utf8("other"), OWNER, 1, await kek())];
    expect(await openKnown({ ...a, dataIv: b.dataIv, dataCt: b.dataCt })).toEqual(damaged);
  });
});

describe("sealing and rewrapping", () => {
  it("draws fresh randomness each time", async () => {
    const [a, b] = [await seal(utf8(PLAINTEXT), OWNER, 1, await kek()), await seal(utf8(PLAINTEXT), OWNER, 1, await kek())];
    for (const field of ["dekIv", "dekCt", "dataIv", "dataCt"] as const) expect(toHex(a[field])).not.toBe(toHex(b[field]));
  });

  it("refuses an empty and an oversized secret", async () => {
    await expect(seal(new Uint8Array(), OWNER, 1, await kek())).rejects.toThrow(RangeError);
    await expect(seal(new Uint8Array(300_000), OWNER, 1, await kek())).rejects.toThrow(RangeError);
  });

  it("moves to a newer key without touching the data, and opens there only", async () => {
    const [older, newer] = [await kek(), await kek("kek-2026-11", 64)];
    const sealed = await seal(utf8(PLAINTEXT), OWNER, 1, older);
    const wrap = await rewrap(sealed, OWNER, older, newer);
    const moved = { ...sealed, ...wrap };
    expect(moved.kekId).toBe("kek-2026-11");
    expect(toHex(moved.dataCt)).toBe(toHex(sealed.dataCt));
    expect((await open(moved, OWNER, finder(newer))).ok).toBe(true);
    expect(await open({ ...moved, kekId: older.kekId }, OWNER, finder(older))).toEqual(damaged);
  });

  it("does not rewrap what does not open", async () => {
    const sealed = await sealKnown();
    expect(await rewrap(sealed, { ...OWNER, userId: "user_02H" }, await kek(), await kek("kek-2026-11", 64))).toBeNull();
  });

  it("never gives two field lists the same bytes", () => {
    const encoded = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"]].map((fields) => toHex(lengthPrefixed(fields)));
    expect(new Set(encoded).size).toBe(encoded.length);
  });
});
