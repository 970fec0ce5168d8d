/** The directory of browsers' public keys: one's own only, and never what decides whom a machine listens to. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { BrowserKeyBody } from "@ai-dev-platform/protocol/http";
import { fetchApp, signUp, type AppClient } from "../support/worker/app-client.ts";
import { askToken, beginDevice, signInMachine } from "../support/worker/own-machine.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let mara: AppClient;
beforeAll(async () => {
  mara = await signUp("Mara");
});

async function newKey(name = "Chrome on Linux"): Promise<{ publicKey: string; name: string }> {
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  if (!("publicKey" in pair)) throw new Error("no pair");
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  if (!(raw instanceof ArrayBuffer)) throw new Error("no bytes");
  const text = btoa(String.fromCharCode(...new Uint8Array(raw)));
  return { publicKey: text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""), name };
}
const list = async (person: AppClient) => (await person.json<{ keys: BrowserKeyBody[] }>("GET", "/api/browser-keys")).keys;
const asMachine = (token: string) => fetchApp("/machine/browser-keys", { headers: { authorization: `Bearer ${token}` } });

describe("browsers' public keys", () => {
  it("[SG3] are listed, renamed by the same key again, and removed; by their owner alone", async () => {
    const key = await newKey();
    const added = await mara.json<BrowserKeyBody>("POST", "/api/browser-keys", key);
    expect(added).toMatchObject({ ...key, keyId: expect.stringMatching(/^[\w-]{22}$/) });
    await mara.json("POST", "/api/browser-keys", { ...key, name: "At work" });
    expect(await list(mara)).toEqual([{ ...added, name: "At work" }]);
    const bo = await signUp("Bo");
    expect(await list(bo)).toEqual([]);
    expect((await bo.send("DELETE", `/api/browser-keys/${added.keyId}`)).status).toBe(404);
    const { token } = await signInMachine(mara);
    expect(await (await asMachine(token)).json()).toEqual({ keys: [{ keyId: added.keyId, publicKey: key.publicKey, name: "At work" }] });
    expect((await asMachine("adpc_wrong")).status).toBe(401);
    expect((await mara.send("DELETE", `/api/browser-keys/${added.keyId}`)).status).toBe(204);
    expect(await list(mara)).toEqual([]);
  });

  it("are checked, and not without end", async () => {
    for (const odd of [
      { publicKey: "short", name: "x" },
      { ...(await newKey()), name: "" },
      { ...(await newKey()), extra: 1 },
    ])
      expect((await mara.send("POST", "/api/browser-keys", odd)).status).toBe(400);
    const cy = await signUp("Cy");
    for (let made = 0; made < 50; made++) await cy.json("POST", "/api/browser-keys", await newKey());
    expect((await cy.send("POST", "/api/browser-keys", await newKey())).status).toBe(400);
    expect(await list(cy)).toHaveLength(50);
  });

  it("[SG3] come to a device whose sign-in they approved, and to no other", async () => {
    const key = await newKey("Phone");
    const device = await beginDevice();
    await mara.json("POST", "/api/connect", { which: { code: device.userCode }, approve: true, browserKey: key });
    expect(await (await askToken(device.deviceCode)).json()).toMatchObject({ browserKey: key });
    expect((await list(mara)).map(({ name }) => name)).toEqual(["Phone"]);
    const plain = await beginDevice();
    await mara.json("POST", "/api/connect", { which: { code: plain.userCode }, approve: true });
    expect(await (await askToken(plain.deviceCode)).json()).not.toHaveProperty("browserKey");
  });
});
