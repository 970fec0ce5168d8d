/** A person brings their own computer, in a real browser: approves it over loopback and by a typed code, and removes it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Browser } from "@playwright/test";
import { afterAll, beforeAll, expect, it } from "vitest";
import { accessibilityViolations, DESKTOP, openBrowser, openPage, PHONE, screenshot } from "../support/node/browser.ts";
import { startTestPlatform, type TestPlatform } from "../support/node/test-platform.ts";

const MAIN = path.join(import.meta.dirname, "../../agent/src/main.ts");

let platform: TestPlatform;
let browser: Browser;
let home: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  platform = await startTestPlatform({ machine: false, demo: true });
  browser = await openBrowser();
  home = mkdtempSync(path.join(os.tmpdir(), "adp-home-"));
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await browser?.close();
  await platform?.stop();
  rmSync(home, { recursive: true, force: true });
});

/** The command line, whose own "browser" does nothing: the real one follows the address that it prints. */
function login(...words: string[]): { said(pattern: RegExp): Promise<string>; exitCode: Promise<number> } {
  const env = { PATH: process.env["PATH"], HOME: home, BROWSER: "true" };
  const child = spawn(process.execPath, [MAIN, "login", "--server", platform.url, "--name", "Desk", ...words], { env });
  children.push(child);
  let text = "";
  let changed = Promise.withResolvers<void>();
  const hear = (chunk: Buffer): void => {
    text += chunk.toString();
    changed.resolve();
    changed = Promise.withResolvers();
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const exitCode = once(child, "close").then(([code]) => Number(code));
  const said = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = pattern.exec(text)?.[0];
      if (found !== undefined) return found;
      await changed.promise;
    }
  };
  return { said, exitCode };
}

it("[MA4, MA6] approves a computer, types a code, and removes it", async () => {
  const violations: string[] = [];
  const { page, complaints, context } = await openPage(browser, { viewport: DESKTOP });
  const first = login();
  const loginUrl = await first.said(/http:\/\/\S+\/connect\?login=\S+/);
  await page.goto(loginUrl);
  await page
    .getByRole("button", { name: /create an account/i })
    .first()
    .click();
  await page.getByLabel("Name").fill("Mara");
  await page.getByLabel("E-mail").fill("mara@example.test");
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: "Desk asks to sign in" }).waitFor();
  await screenshot(page, "connect-01-approve");
  violations.push(...(await accessibilityViolations(page)));
  await page.emulateMedia({ colorScheme: "dark" });
  violations.push(...(await accessibilityViolations(page)));
  await page.emulateMedia({ colorScheme: "light" });
  await page.getByRole("button", { name: "Approve" }).click();
  await page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\/\?code=/, { waitUntil: "commit" });
  await page.getByRole("heading", { name: "Signed in" }).waitFor();
  expect(await first.exitCode).toBe(0);

  await page.setViewportSize(PHONE);
  const second = login("--device");
  const code = await second.said(/[B-Z]{4}-[B-Z]{4}/);
  await page.goto(await second.said(/http:\/\/\S+\/connect/));
  await page.getByLabel("Code").fill("BBBB-BBBB");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("No computer waits with this code.").waitFor();
  await screenshot(page, "connect-02-mistyped");
  violations.push(...(await accessibilityViolations(page)));
  await page.getByLabel("Code").fill(code.toLowerCase());
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("heading", { name: "Desk asks to sign in again" }).waitFor();
  await screenshot(page, "connect-03-code");
  violations.push(...(await accessibilityViolations(page)));
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("heading", { name: "Approved" }).waitFor();
  await page.getByText(/^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/).waitFor();
  await screenshot(page, "connect-05-approved");
  violations.push(...(await accessibilityViolations(page)));
  expect(await second.exitCode).toBe(0);

  await page.goto(loginUrl);
  await page.getByRole("heading", { name: "This sign-in is over" }).waitFor();
  await screenshot(page, "connect-06-over");
  violations.push(...(await accessibilityViolations(page)));

  await page.goto(`${new URL(page.url()).origin}/settings/machines`);
  await page.getByRole("button", { name: "Remove Desk" }).click();
  await screenshot(page, "connect-04-remove");
  violations.push(...(await accessibilityViolations(page)));
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByText("No machine has connected yet.").waitFor();
  expect({ complaints, violations }).toEqual({ complaints: [], violations: [] });
  await context.close();
});
