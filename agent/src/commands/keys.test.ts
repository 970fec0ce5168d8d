/** The browsers that a computer listens to, on its own disk: pinned at a sign-in, listed, removed. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fingerprintOf } from "@ai-dev-platform/protocol/signed-text";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { saveLogin } from "../machine/login-store.ts";
import { addPin, allowsUnsigned, listPins, signingDir, signingEnvironment } from "../machine/pins/pin-store.ts";
import { serverDir } from "../machine/server-dir.ts";
import { BrowserSigner } from "../runner/testing/browser-signer.ts";
import { keys } from "./keys.ts";
import { judgeKey, settlePairing, type Offered } from "./pair-browser.ts";

const SERVER = "https://dev.example.com";
const MACHINE = `mch_${"0".repeat(26)}`;
let data: string;
let folder: string;
let out: string[];

beforeEach(() => {
  data = mkdtempSync(path.join(tmpdir(), "adp-keys-"));
  folder = serverDir(data, SERVER);
  saveLogin(data, {
    server: SERVER,
    token: "adpc_x",
    machineId: MACHINE,
    user: { name: "Mara", email: "m@example.test" },
    name: "Desk",
    signedInAt: 1,
  });
  out = [];
  vi.spyOn(console, "log").mockImplementation((text) => void out.push(String(text)));
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(data, { recursive: true, force: true });
});

const offer = (signer: BrowserSigner, isHanded: boolean): Offered => ({ key: { publicKey: signer.publicKey, name: "Chrome" }, isHanded });
const print = (signer: BrowserSigner): string => fingerprintOf(signer.keyId);
const names = (): string[] => listPins(signingDir(folder)).map(({ name }) => name);

describe("a browser's key at a sign-in", () => {
  const ask = { pin: undefined, unsigned: false };
  it("[SG3] is taken as the browser handed it, and for a device only when it was compared", async () => {
    const mara = new BrowserSigner();
    expect(await judgeKey(offer(mara, true), ask)).toBe(true);
    expect(await judgeKey(null, ask)).toBe(false);
    // Nobody sits at this terminal.
    expect(await judgeKey(offer(mara, false), ask)).toBe(false);
    expect(await judgeKey(offer(mara, false), { ...ask, pin: print(mara).toLowerCase().replaceAll("-", " ") })).toBe(true);
  });
  it.each([true, false])("[SG3] is refused when it is another than the one that was named (handed over: %s)", async (isHanded) => {
    await expect(judgeKey(offer(new BrowserSigner(), isHanded), { ...ask, pin: print(new BrowserSigner()) })).rejects.toThrow(
      "not the one of --pin",
    );
    await expect(judgeKey(null, { ...ask, pin: print(new BrowserSigner()) })).rejects.toThrow("gave no key");
  });
  it("[SG3] joins the pins of the same person, and ends those of another", () => {
    const settled = { isPinned: true, isSamePerson: true, unsigned: false };
    settlePairing(folder, offer(new BrowserSigner(), true), settled);
    settlePairing(folder, offer(new BrowserSigner(), true), settled);
    expect(names()).toHaveLength(2);
    settlePairing(folder, offer(new BrowserSigner(), true), { ...settled, isSamePerson: false });
    expect(names()).toHaveLength(1);
    settlePairing(folder, offer(new BrowserSigner(), false), { ...settled, isPinned: false });
    expect(names()).toHaveLength(1);
  });
  it("asks for signatures unless its person said on this computer that it need not", () => {
    expect(signingEnvironment(folder, MACHINE)).toEqual({ AI_DEV_AGENT_SIGNING: signingDir(folder) });
    settlePairing(folder, null, { isPinned: false, isSamePerson: true, unsigned: true });
    expect([allowsUnsigned(folder), signingEnvironment(folder, MACHINE)]).toEqual([true, {}]);
    settlePairing(folder, null, { isPinned: false, isSamePerson: true, unsigned: false });
    expect(allowsUnsigned(folder)).toBe(false);
  });
});

describe("ai-dev-agent keys", () => {
  it("[SG3] lists what is pinned and removes one by its fingerprint, at once", async () => {
    const [mara, phone] = [new BrowserSigner(), new BrowserSigner()];
    for (const [signer, name] of [
      [mara, "Chrome"],
      [phone, "Phone"],
    ] as const)
      addPin(signingDir(folder), { publicKey: signer.publicKey, name, origin: "sign_in" }, Date.now());
    writeFileSync(path.join(signingDir(folder), "keys", "stray.json"), "{}");
    expect(await keys.run(["list", "--json", "--data", data])).toBe(0);
    const shown: { keys: { fingerprint: string }[] } = JSON.parse(out.join(""));
    expect(shown.keys.map(({ fingerprint }) => fingerprint).toSorted()).toEqual([print(mara), print(phone)].toSorted());
    expect(await keys.run(["remove", print(phone).toLowerCase(), "--data", data])).toBe(0);
    expect(names()).toEqual(["Chrome"]);
    await expect(keys.run(["remove", print(phone), "--data", data])).rejects.toThrow("No pinned browser");
  });
  it.each([[["burn"]], [["remove"]], [["list", "all", "of", "them"]]])("says what may be asked instead of %j", (words) => {
    expect(() => keys.run(words)).toThrow("Say what to do");
  });
});
