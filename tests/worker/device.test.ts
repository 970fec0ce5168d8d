/** How a person's own machine signs in: what the CLI asks, what the browser answers, and who tries to come between. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { ConnectBody } from "@ai-dev-platform/protocol/machine-login";
import { newId } from "../../worker/ids.ts";
import { newClient, ORIGIN, signUp, type AppClient } from "../support/worker/app-client.ts";
import { eventually, FakeMachine } from "../support/worker/fake-machine.ts";
import { ABOUT, answer, askToken, beginDevice, newAddress, postMachine, signInMachine } from "../support/worker/own-machine.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let mara: AppClient;
beforeAll(async () => {
  mara = await signUp("Mara");
});

const codeOf = async (response: Response) => (await response.json<{ error: { code: string } }>()).error.code;
const look = (person: AppClient, code: string) => person.send("GET", `/api/connect?code=${encodeURIComponent(code)}`);
const age = (column: "polled_at" | "expires_at", value: number, deviceUserCode: string) =>
  env.DB.prepare(`UPDATE machine_logins SET ${column} = ? WHERE user_code = ?`).bind(value, deviceUserCode.replace("-", "")).run();

describe("a device's code", () => {
  it("[MA4] shows who asks, and gives the token once after the approval", async () => {
    const device = await beginDevice();
    expect(device.userCode).toMatch(/^[B-Z]{4}-[B-Z]{4}$/);
    expect(device.urlWithCode).toBe(`${ORIGIN}/connect?code=${device.userCode}`);
    const shown = await mara.json<ConnectBody>("GET", `/api/connect?code=${device.userCode.toLowerCase()}`);
    expect(shown).toMatchObject({ kind: "device", name: ABOUT.name, platform: "linux x64", from: "other_network", isKnown: false });
    expect(shown.address).toMatch(/^10\.7\.x\.x$/);
    expect(await codeOf(await askToken(device.deviceCode))).toBe("login_pending");
    await answer(mara, { code: device.userCode });
    await age("polled_at", Date.now() - 6_000, device.userCode);
    const response = await askToken(device.deviceCode);
    expect(response.status).toBe(201);
    const signedIn = await response.json<{ token: string; user: { email: string } }>();
    expect(signedIn).toMatchObject({ token: expect.stringMatching(/^adpc_[\w-]{51}$/), user: { email: mara.email } });
    expect(await codeOf(await askToken(device.deviceCode))).toBe("login_expired");
    const rows = await Promise.all(["machine_tokens", "machine_logins"].map((table) => env.DB.prepare(`SELECT * FROM ${table}`).all()));
    const stored = JSON.stringify(rows.map((each) => each.results));
    expect(stored).not.toContain(signedIn.token);
    expect(stored).not.toContain(device.deviceCode);
  });

  it("[MA4] slows a machine down that asks too often, and refuses after the end or a refusal", async () => {
    const device = await beginDevice();
    expect(await codeOf(await askToken(device.deviceCode))).toBe("login_pending");
    const again = await askToken(device.deviceCode);
    expect(again.headers.get("retry-after")).toBe("10");
    expect(await codeOf(again)).toBe("login_slow_down");
    await answer(mara, { code: device.userCode }, false);
    expect(await codeOf(await askToken(device.deviceCode))).toBe("login_denied");
    const late = await beginDevice();
    await age("expires_at", Date.now() - 1, late.userCode);
    expect(await codeOf(await look(mara, late.userCode))).toBe("login_expired");
    expect((await mara.send("POST", "/api/connect", { which: { code: late.userCode }, approve: true })).status).toBe(410);
    expect(await codeOf(await askToken(late.deviceCode))).toBe("login_expired");
    expect(await codeOf(await askToken("A".repeat(43)))).toBe("login_expired");
  });

  it("[MA4] is answered once, also by two people at once", async () => {
    const device = await beginDevice();
    const other = await signUp("Other");
    const answers = await Promise.all(
      [mara, other].map((person) => person.send("POST", "/api/connect", { which: { code: device.userCode }, approve: true })),
    );
    expect(answers.map((each) => each.status).toSorted()).toEqual([200, 410]);
  });

  it("[MA4] says that a mistyped code is one, and stops who guesses before a hit counts", async () => {
    const guesser = await signUp("Guesser");
    expect(await codeOf(await look(guesser, "BCDF-GHJA"))).toBe("login_code_unknown");
    const statuses: number[] = [];
    for (let guess = 0; guess < 21; guess += 1) statuses.push((await look(guesser, `BCDF-GHJ${"BCDFGHJKLMNPQRSTVWXZB"[guess]}`)).status);
    expect(new Set(statuses.slice(0, 20))).toEqual(new Set([404]));
    expect(statuses[20]).toBe(429);
    const device = await beginDevice();
    expect((await look(guesser, device.userCode)).status).toBe(429);
  });

  it("[MA4] limits how many sign-ins one address begins", async () => {
    const address = newAddress();
    const begin = () => postMachine("login/device", { machine: ABOUT }, { "cf-connecting-ip": address });
    for (let count = 0; count < 30; count += 1) expect((await begin()).status).toBe(201);
    expect((await begin()).status).toBe(429);
  });
});

describe("the page's requests", () => {
  it("[MA4] need a signed-in person and this site's own page", async () => {
    const device = await beginDevice();
    const body = { which: { code: device.userCode }, approve: true };
    expect((await newClient().send("POST", "/api/connect", body)).status).toBe(401);
    expect((await newClient().send("GET", `/api/connect?code=${device.userCode}`)).status).toBe(401);
    for (const origin of ["https://evil.test", "null", "http://app.test.evil.test"]) {
      const headers = { "content-type": "application/json", origin };
      const response = await mara.fetch("/api/connect", { method: "POST", body: JSON.stringify(body), headers });
      expect(await codeOf(response)).toBe("bad_origin");
    }
    const form = { method: "POST", body: new URLSearchParams({ approve: "true" }) };
    expect((await mara.fetch("/api/connect", form)).status).toBe(400);
    expect(await codeOf(await askToken(device.deviceCode))).toBe("login_pending");
  });
  it("[MA4] cannot be framed", async () => {
    const response = await mara.send("GET", "/api/connect?code=x");
    expect(response.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(response.headers.get("x-frame-options")).toBe("DENY");
  });
});

const base64url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function beginLoopback() {
  const verifier = random();
  const state = random();
  const challenge = base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
  const response = await postMachine(
    "login/loopback",
    { machine: ABOUT, challenge, state, port: 45_678 },
    { "cf-connecting-ip": newAddress() },
  );
  const { loginId, url } = await response.json<{ loginId: string; url: string }>();
  return { verifier, state, loginId, url };
}
const exchange = (loginId: string, code: string, verifier: string) =>
  postMachine("login/token", { kind: "loopback", loginId, code, verifier }, { "cf-connecting-ip": newAddress() });

describe("the way back over loopback", () => {
  it("[MA4] hands a code to 127.0.0.1 that counts with the verifier, once", async () => {
    const begun = await beginLoopback();
    expect(begun.url).toBe(`${ORIGIN}/connect?login=${begun.loginId}`);
    const { redirectTo } = await answer(mara, { login: begun.loginId });
    const back = new URL(redirectTo ?? "");
    expect([back.origin, back.searchParams.get("state")]).toEqual(["http://127.0.0.1:45678", begun.state]);
    const code = back.searchParams.get("code") ?? "";
    expect(await codeOf(await exchange(begun.loginId, code, random()))).toBe("login_expired");
    expect(await codeOf(await exchange((await beginLoopback()).loginId, code, begun.verifier))).toBe("login_expired");
    expect(await codeOf(await exchange(begun.loginId, random(), begun.verifier))).toBe("login_expired");
    const taken = await Promise.all([1, 2].map(() => exchange(begun.loginId, code, begun.verifier)));
    expect(taken.map((each) => each.status).toSorted()).toEqual([201, 410]);
  });
  it("[MA4] tells a refusal to the computer, and lets nobody fetch a token without an approval", async () => {
    const begun = await beginLoopback();
    const { redirectTo } = await answer(mara, { login: begun.loginId }, false);
    expect(new URL(redirectTo ?? "").searchParams.get("error")).toBe("access_denied");
    expect(await codeOf(await exchange(begun.loginId, random(), begun.verifier))).toBe("login_expired");
    expect((await askToken(begun.loginId)).status).toBe(410);
  });
  it.each([{ port: 80 }, { port: 99_999 }, { challenge: "short" }, { state: "a b" }, { redirect: "https://evil.test" }])(
    "[MA4] refuses to begin with %j",
    async (odd) => {
      const good = { machine: ABOUT, challenge: random(), state: random(), port: 45_678 };
      expect((await postMachine("login/loopback", { ...good, ...odd }, { "cf-connecting-ip": newAddress() })).status).toBe(400);
    },
  );
});

describe("whose machine it becomes", () => {
  it("[MA5] keeps its id for the same person, and gets a new one for another", async () => {
    const first = await signInMachine(mara);
    expect((await signInMachine(mara, first.machineId)).machineId).toBe(first.machineId);
    const other = await signUp("Thief");
    const taken = await signInMachine(other, first.machineId);
    expect(taken.machineId).not.toBe(first.machineId);
    expect((await signInMachine(mara, newId("machine"))).machineId).toMatch(/^mch_/);
  });
  it("[MA5] does not become the operator's machine", async () => {
    const operators = await new FakeMachine().connect();
    const list = () => mara.json<{ machines: { machineId: string }[] }>("GET", "/api/machines");
    await eventually(list, ({ machines }) => machines.some((each) => each.machineId === operators.machineId));
    expect((await signInMachine(mara, operators.machineId)).machineId).not.toBe(operators.machineId);
    await operators.disconnect();
  });
});
