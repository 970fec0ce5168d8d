import { describe, expect, it } from "vitest";
import { MAX_SIGNATURE_TTL_MS } from "./limits.ts";
import { canonical, fingerprintOf, isSameFingerprint, laneOf, signedText } from "./signed-text.ts";
import { CLOCK_SKEW_MS, judgeSigned, NOTHING_SEEN, type Command, type Unsigned } from "./signing.ts";

const NOW = 1_800_000_000_000;
const machineId = "mch_0123456789abcdefghjkmnpqrs";
const sessionId = "ses_0123456789abcdefghjkmnpqrs";
const prompt: Command = { kind: "prompt", promptId: "prm_1", thread: "main", text: "Fix it", delivery: "queue" };
const unsigned = (over: Partial<Unsigned> = {}): Unsigned => ({
  keyId: "k".repeat(22),
  machineId,
  incarnation: 3,
  counter: 1,
  nonce: "n".repeat(22),
  issuedAt: NOW,
  expiresAt: NOW + 60_000,
  ...over,
});
const here = { machineId, incarnation: 3, now: NOW };
const take = (over: Partial<Unsigned>, command: Command = prompt, seen = NOTHING_SEEN, at = here) =>
  judgeSigned(seen, unsigned(over), command, at);

describe("what is signed", () => {
  it("[SG1] is the same text for the same command, whatever the order of its fields", () => {
    const other = { text: "Fix it", thread: "main", kind: "prompt", delivery: "queue", promptId: "prm_1" } as const;
    expect(signedText(sessionId, unsigned(), other)).toBe(signedText(sessionId, unsigned(), prompt));
    expect(canonical({ b: [1, undefined, { d: null, c: "é\n" }], a: undefined })).toBe('{"b":[1,null,{"c":"é\\n","d":null}]}');
  });
  it("[SG1] is another text when anything of it is other", () => {
    const base = signedText(sessionId, unsigned(), prompt);
    const others = [
      signedText("ses_other", unsigned(), prompt),
      ...(["keyId", "machineId", "nonce"] as const).map((name) => signedText(sessionId, unsigned({ [name]: "other" }), prompt)),
      ...(["incarnation", "counter", "issuedAt", "expiresAt"] as const).map((name) =>
        signedText(sessionId, unsigned({ [name]: 7 }), prompt),
      ),
      signedText(sessionId, unsigned(), { ...prompt, text: "Fix it." }),
      signedText(sessionId, unsigned(), { ...prompt, delivery: "steer" }),
      signedText(sessionId, unsigned(), { ...prompt, thread: "tests" }),
    ];
    expect(new Set([base, ...others]).size).toBe(others.length + 1);
  });
  it("[SG1] cannot be shifted from one field into the next", () => {
    const one = signedText(sessionId, unsigned(), { kind: "set_mode", mode: 'a","x":"b' });
    const two = signedText(sessionId, unsigned(), { kind: "set_mode", mode: "a" });
    expect(one).not.toBe(two);
  });
});

describe("what a machine takes", () => {
  it("[SG2] takes a command once", () => {
    const first = take({});
    expect(first).toMatchObject({ ok: true });
    if (!first.ok) return;
    expect(take({}, prompt, first.seen)).toEqual({ ok: false, reason: "replayed" });
    expect(take({ nonce: "m".repeat(22) }, prompt, first.seen)).toEqual({ ok: false, reason: "reordered" });
    expect(take({ nonce: "m".repeat(22), counter: 2 }, prompt, first.seen)).toMatchObject({ ok: true });
  });
  it("[SG2] keeps the order within a lane, and lets lanes pass each other", () => {
    const later = take({ counter: 9 });
    expect(later.ok).toBe(true);
    if (!later.ok) return;
    const steer: Command = { ...prompt, delivery: "steer" };
    expect(laneOf(steer)).not.toBe(laneOf(prompt));
    expect(take({ counter: 2, nonce: "s".repeat(22) }, steer, later.seen)).toMatchObject({ ok: true });
    expect(take({ counter: 2, nonce: "t".repeat(22) }, prompt, later.seen)).toEqual({ ok: false, reason: "reordered" });
  });
  it.each([
    ["another machine's", { machineId: "mch_other" }, "other_machine"],
    ["one for a later run", { incarnation: 4 }, "older_run"],
    ["an expired one", { issuedAt: NOW - 120_000 - CLOCK_SKEW_MS, expiresAt: NOW - CLOCK_SKEW_MS - 1 }, "expired"],
    ["one from the future", { issuedAt: NOW + CLOCK_SKEW_MS + 1, expiresAt: NOW + CLOCK_SKEW_MS + 60_000 }, "expired"],
    ["one that is good for too long", { expiresAt: NOW + MAX_SIGNATURE_TTL_MS + 1 }, "expired"],
  ] as const)("[SG2] refuses %s", (_name, over, reason) => expect(take(over)).toEqual({ ok: false, reason }));
  it("[SG2] remembers a nonce as long as its command could be taken, and no longer", () => {
    const first = take({});
    if (!first.ok) throw new Error("refused");
    const muchLater = { ...here, now: NOW + 60_000 + CLOCK_SKEW_MS + 1 };
    const next = take(
      { counter: 2, nonce: "m".repeat(22), issuedAt: muchLater.now, expiresAt: muchLater.now + 1 },
      prompt,
      first.seen,
      muchLater,
    );
    expect(next.ok && Object.keys(next.seen.nonces)).toEqual(["m".repeat(22)]);
  });
});

describe("the fingerprint of a key", () => {
  it("[SG3] is 80 bits of the key's hash, in letters that cannot be mistaken for each other", () => {
    expect(fingerprintOf("A".repeat(22))).toBe("0000-0000-0000-0000");
    expect(fingerprintOf("_".repeat(22))).toBe("ZZZZ-ZZZZ-ZZZZ-ZZZZ");
    const base = "ABCDEFGHIJKLMNOPQRSTUV";
    const others = Array.from({ length: 13 }, (_, at) => fingerprintOf(`${base.slice(0, at)}-${base.slice(at + 1)}`));
    expect(new Set([fingerprintOf(base), ...others]).size).toBe(14);
  });
  it("[SG3] is compared as people type it", () => {
    expect(isSameFingerprint(" 7k2m 9qxc-o4tbwz5h", "7K2M-9QXC-04TB-WZ5H")).toBe(true);
    for (const other of ["", "7K2M-9QXC-04TB-WZ5", "7K2M-9QXC-04TB-WZ5J"])
      expect(isSameFingerprint(other, "7K2M-9QXC-04TB-WZ5H")).toBe(false);
  });
});
