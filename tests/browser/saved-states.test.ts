/** Saved states in a real browser with the real parts: an archive becomes a project, a turn is saved, looked into and taken away. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Browser, Page } from "@playwright/test";
import { afterAll, beforeAll, expect, it } from "vitest";
import { accessibilityViolations, openBrowser, openPage, screenshot } from "../support/node/browser.ts";
import { startTestPlatform, type TestPlatform } from "../support/node/test-platform.ts";

let platform: TestPlatform;
let browser: Browser;

beforeAll(async () => {
  platform = await startTestPlatform({ demo: true });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await platform?.stop();
});

/** One small project, as a person would pack it. */
function packedProject(): string {
  const folder = path.join(platform.scratch, "relay");
  mkdirSync(path.join(folder, "src"), { recursive: true });
  writeFileSync(path.join(folder, "README.md"), "# Relay\n\nCame in an archive.\n");
  writeFileSync(path.join(folder, "src/relay.ts"), "export const relay = (x: number) => x;\n");
  const archive = path.join(platform.scratch, "relay.tar.gz");
  execFileSync("tar", ["-czf", archive, "-C", platform.scratch, "relay"]);
  return archive;
}

async function allowUntilSaved(page: Page): Promise<void> {
  const allow = page.getByRole("button", { name: /^Allow once/ });
  const saved = page.getByRole("button", { name: /^Saved · step \d+/ });
  for (let asked = 0; asked < 12; asked += 1) {
    await allow.or(saved).first().waitFor();
    if (!(await allow.first().isVisible())) break;
    await allow.first().click();
    await page.waitForFunction(() => document.querySelectorAll("[data-approval-sending]").length === 0);
  }
  await saved.waitFor();
}

it("[SN10] [SN14] takes an archive in, and gives a saved state out", async () => {
  const { page, complaints } = await openPage(browser);
  await page.goto(platform.url);
  await page.getByRole("button", { name: /create an account/i }).click();
  await page.getByLabel("Name").fill("Mara");
  await page.getByLabel("E-mail").fill("mara@example.test");
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("button", { name: /demo model/i }).click();
  await page.goto(`${platform.url}/new`);
  await page.getByRole("textbox", { name: "Prompt" }).fill("Look around and leave a note.");
  await page.getByRole("radio", { name: "Zip or tar" }).check();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose a file" }).click();
  await (await chooser).setFiles(packedProject());
  await page.getByText(/^Uploaded · /).waitFor();
  await page.getByRole("button", { name: "Start session" }).click();
  await page.waitForURL(/\/s\/ses_/);
  await allowUntilSaved(page);
  await page.goto(`${page.url().split("?")[0]}?panel=timeline`);
  const states = page.getByRole("list", { name: "Saved states, newest first" });
  await states.getByRole("button", { name: /^Step/ }).first().click();
  const changed = page.getByRole("list", { name: "Changed files" });
  await changed.getByRole("button", { name: /DEMO\.md/ }).click();
  await changed.locator("code").first().waitFor();
  await screenshot(page, "real-timeline");
  expect(await accessibilityViolations(page)).toEqual([]);
  const started = page.waitForEvent("download");
  await page.getByRole("link", { name: /as Zip$/ }).click();
  const zip = path.join(platform.scratch, "taken.zip");
  await (await started).saveAs(zip);
  const taken = path.join(platform.scratch, "taken");
  execFileSync("unzip", ["-q", zip, "-d", taken]);
  const found = execFileSync("find", [taken, "-type", "f", "-name", "README.md"], { encoding: "utf8" }).trim();
  expect(readFileSync(found, "utf8")).toContain("Came in an archive.");
  await page.goto(`${platform.url}/settings/storage`);
  await page.getByRole("meter", { name: "Storage used" }).waitFor();
  await page.getByRole("list").getByText(/saved/).first().waitFor();
  await screenshot(page, "real-storage");
  expect(complaints).toEqual([]);
});
