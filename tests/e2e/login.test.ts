/**
 * A person's own computer joins: the real command line, a browser that approves, a session on a folder in place, and the end of
 * it from the browser.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import type { ConnectAnswerBody, ConnectBody } from "@ai-dev-platform/protocol/machine-login";
import { fingerprintOf } from "@ai-dev-platform/protocol/signed-text";
import { type Account, signUp } from "../support/node/account.ts";
import { BrowserSigner } from "../support/node/browser-signer.ts";
import { startTestPlatform, type TestPlatform } from "../support/node/test-platform.ts";
import { find } from "../support/node/viewer.ts";

const MAIN = path.join(import.meta.dirname, "../../agent/src/main.ts");
const REVOKE_DEADLINE_MS = 2_000;

let platform: TestPlatform;
let mara: Account;
const browser = new BrowserSigner();
let data: string;
let scratch: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  // No machine of the operator's: what runs here was brought by Mara.
  platform = await startTestPlatform({ machine: false, demo: true });
  mara = await signUp(platform.url);
  scratch = realpathSync(mkdtempSync(path.join(os.tmpdir(), "adp-own-")));
  data = path.join(scratch, "data");
  // A "browser" that only writes down where it was sent.
  const opener = path.join(scratch, "browser");
  writeFileSync(opener, `#!/bin/sh\nprintf %s "$1" > ${scratch}/opened\n`);
  chmodSync(opener, 0o755);
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await platform?.stop();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

interface Cli {
  child: ChildProcess;
  out(): string;
  ended: Promise<{ code: number; out: string; err: string }>;
  until(text: string): Promise<string>;
}

function cli(...words: string[]): Cli {
  const env = { PATH: process.env["PATH"], HOME: scratch, BROWSER: path.join(scratch, "browser"), AI_DEV_AGENT_DATA: data };
  const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const ended = once(child, "close").then(([code]) => ({ code: Number(code), out, err }));
  const until = async (text: string): Promise<string> => {
    while (!(out + err).includes(text)) {
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} before "${text}":\n${out}${err}`);
      await wait(20);
    }
    return out + err;
  };
  return { child, out: () => out, ended, until };
}

const listeners = (pid: number): string =>
  execFileSync("ss", ["-ltnpH"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(`pid=${pid},`))
    .join("\n");

const ownMachine = async () =>
  (await mara.json<{ machines: MachineBody[] }>("GET", "/api/machines")).machines.find((each) => !each.isOperator);

describe("ai-dev-agent on a person's own computer", () => {
  it("[MA4] signs in over loopback: one local listener while it waits, none after, a token only its user can read", async () => {
    const login = cli("login", "--server", platform.url, "--name", "Mara's laptop", "--json");
    await login.until("Waiting for your approval");
    const listening = listeners(login.child.pid ?? 0);
    expect(listening).toMatch(/127\.0\.0\.1:\d+/);
    expect(listening.split("\n")).toHaveLength(1);
    for (; !existsSync(path.join(scratch, "opened"));) await wait(20);
    const page = new URL(readFileSync(path.join(scratch, "opened"), "utf8"));
    const handle = page.searchParams.get("login") ?? "";
    const shown = await mara.json<ConnectBody>("GET", `/api/connect?login=${handle}`);
    expect(shown).toMatchObject({ kind: "loopback", name: "Mara's laptop", from: "this_server" });
    const { redirectTo } = await mara.json<ConnectAnswerBody>("POST", "/api/connect", { which: { login: handle }, approve: true });
    const back = new URL(redirectTo ?? "");
    // As the page does: its key goes to the computer, past the server.
    back.searchParams.set("key", browser.browserKey.publicKey);
    back.searchParams.set("key_name", browser.browserKey.name);
    const stray = await fetch(`${back.origin}/?code=${"A".repeat(43)}&state=wrong`);
    expect(stray.status).toBe(404);
    const arrived = await fetch(back);
    expect(await arrived.text()).toContain("Signed in");
    const { code, out } = await login.ended;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, server: platform.url, user: { name: "Mara" } });
    expect(out).not.toContain("adpc_");
    await expect(fetch(back)).rejects.toThrow();
    const file = path.join(data, "servers", `127.0.0.1_${new URL(platform.url).port}.http`, "login.json");
    expect(readFileSync(file, "utf8")).toContain("adpc_");
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("[MA7] connects, opens a session on a trusted folder, works in it in place, and is gone within 2 s of its removal", async () => {
    const project = path.join(scratch, "site");
    mkdirSync(project);
    writeFileSync(path.join(project, "index.html"), "<h1>Hello</h1>\n");
    const untrusted = await cli("connect", "--dir", project, "--json").ended;
    expect(untrusted).toMatchObject({ code: 1, out: expect.stringContaining("is not trusted") });
    expect((await cli("connect", "--dir", scratch, "--trust").ended).err).toContain("home folder");

    const connected = cli("connect", "--dir", project, "--trust");
    await connected.until("Connected as Mara's laptop");
    expect(listeners(connected.child.pid ?? 0)).toBe("");
    const sessionId = /\/s\/(ses_\w+)/.exec(connected.out())?.[1] ?? "";
    expect(await ownMachine()).toMatchObject({ name: "Mara's laptop", isOnline: true });
    const view = browser.signing(sessionId, await mara.view(sessionId));
    view.prompt("SCENARIO=text-only");
    await view.until("the end of the turn", () => find(view, "turn_ended"));
    expect(find(view, "turn_ended")).toMatchObject({ event: { outcome: "completed" } });

    const status = await cli("status", "--json").ended;
    expect(JSON.parse(status.out)).toMatchObject({
      servers: [{ login: "ok", isOnline: true, pid: connected.child.pid, running: 1, trustedFolders: [project] }],
    });
    const sessions = await cli("sessions", "--json").ended;
    expect(JSON.parse(sessions.out)).toMatchObject({ sessions: [{ sessionId, isRunningHere: true }] });
    const again = await cli("connect", "--dir", project, "--json").ended;
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining(`"sessionId":"${sessionId}"`) });

    const removedAt = Date.now();
    expect((await mara.request("DELETE", `/api/machines/${(await ownMachine())?.machineId}`)).status).toBe(204);
    const { code, err } = await connected.ended;
    expect(Date.now() - removedAt).toBeLessThan(REVOKE_DEADLINE_MS + 3_000);
    expect([code, err.includes("was removed in the browser")]).toEqual([3, true]);
    expect((await cli("status", "--json").ended).code).toBe(3);
    expect(readFileSync(path.join(project, "index.html"), "utf8")).toBe("<h1>Hello</h1>\n");
    view.close();
  });

  it("[MA4, MA6] signs in again by a code, keeps its id, and signs itself out", async () => {
    const fingerprint = fingerprintOf(browser.keyId);
    const login = cli("login", "--device", "--pin", fingerprint.toLowerCase());
    const text = await login.until("Waiting for your approval");
    const userCode = /[B-Z]{4}-[B-Z]{4}/.exec(text)?.[0] ?? "";
    expect(listeners(login.child.pid ?? 0)).toBe("");
    expect((await mara.request("GET", "/api/connect?code=BBBB-BBBB")).status).toBe(404);
    await mara.json<ConnectAnswerBody>("POST", "/api/connect", {
      which: { code: userCode },
      approve: true,
      browserKey: browser.browserKey,
    });
    expect(await login.ended).toMatchObject({ code: 0, out: expect.stringContaining("Signed in to") });
    expect(JSON.parse((await cli("keys", "list", "--json").ended).out)).toMatchObject({
      keys: [{ fingerprint, name: "Test browser" }],
      unsigned: false,
    });
    const doctor = await cli("doctor", "--json").ended;
    const checks: { name: string; ok: boolean }[] = JSON.parse(doctor.out).checks;
    for (const name of ["node", "git", "server", "clock", "login"])
      expect(checks.find((check) => check.name === name)).toMatchObject({ ok: true });
    expect((await cli("logout").ended).code).toBe(0);
    expect((await cli("sessions", "--json").ended).code).toBe(3);
    expect(await ownMachine()).toBeUndefined();
  });

  it("[SG3] does not sign in with a key that was swapped on the way", async () => {
    const login = cli("login", "--device", "--pin", fingerprintOf(browser.keyId));
    const userCode = /[B-Z]{4}-[B-Z]{4}/.exec(await login.until("Waiting for your approval"))?.[0] ?? "";
    const evil = new BrowserSigner("Evil");
    await mara.json("POST", "/api/connect", { which: { code: userCode }, approve: true, browserKey: evil.browserKey });
    expect(await login.ended).toMatchObject({ code: 1, err: expect.stringContaining("not the one of --pin") });
    expect((await cli("keys", "list").ended).code).toBe(3);
    expect(await ownMachine()).toBeUndefined();
  });
});
