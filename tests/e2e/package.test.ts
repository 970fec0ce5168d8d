/** What is published: packed, installed in a clean folder without a registry, and run by the oldest Node at hand. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PACKAGE_FOLDER, writePackage } from "../../scripts/agent-package/main.ts";

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

it("prints completion that the shell accepts", async () => {
  const { out } = await agent("completion", "bash");
  const script = `${out}\nCOMP_WORDS=(ai-dev-agent connect --pro) COMP_CWORD=2; _ai_dev_agent; echo "\${COMPREPLY[@]}"`;
  expect((await run("bash", ["-c", script])).stdout.trim()).toBe("--project");
});
