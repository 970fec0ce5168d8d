/** A newcomer's whole path in a real browser: sign up, demo model, a session on a Git repository, approval, changes, return, share. */
import type { Browser } from "@playwright/test";
import { afterAll, beforeAll, expect, it } from "vitest";
import { accessibilityViolations, DESKTOP, openBrowser, openPage, PHONE, screenshot } from "../support/node/browser.ts";
import { type GitServer, serveRepository } from "../support/node/git-server.ts";
import { startTestPlatform, type TestPlatform } from "../support/node/test-platform.ts";

let platform: TestPlatform;
let browser: Browser;
let repository: GitServer;

beforeAll(async () => {
  platform = await startTestPlatform({ demo: true });
  browser = await openBrowser();
  repository = await serveRepository(platform.scratch, {
    "README.md": "# Relay\n\nA small relay.\n",
    "src/relay.ts": "export const relay = (x: number) => x;\n",
  });
});
afterAll(async () => {
  await browser?.close();
  repository?.close();
  await platform?.stop();
});

it("goes the whole way with the demo model, and comes back", async () => {
  const violations: string[] = [];
  const { page, complaints, context } = await openPage(browser, { viewport: DESKTOP });
  await page.goto(platform.url);
  await page
    .getByRole("button", { name: /create an account/i })
    .or(page.getByRole("link", { name: /create an account/i }))
    .first()
    .click();
  await page.getByLabel("Name").fill("Mara");
  await page.getByLabel("E-mail").fill("mara@example.test");
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
  await screenshot(page, "01-sign-up");
  violations.push(...(await accessibilityViolations(page)));
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("button", { name: /demo model/i }).waitFor();
  await screenshot(page, "02-first-run");
  violations.push(...(await accessibilityViolations(page)));
  await page.getByRole("button", { name: /demo model/i }).click();
  await page.goto(`${platform.url}/new`);
  await page.getByRole("textbox", { name: "Prompt" }).fill("Look around and leave a note.");
  await page.getByRole("radio", { name: "Git repository" }).click();
  await page.getByLabel("Git address").fill(repository.url);
  await screenshot(page, "03-new-session");
  violations.push(...(await accessibilityViolations(page)));
  await page.getByRole("button", { name: "Start session" }).click();
  await page.waitForURL(/\/s\/ses_/);
  const allow = page.getByRole("button", { name: /^Allow once/ });
  await allow.first().waitFor();
  await screenshot(page, "04-approval-light");
  violations.push(...(await accessibilityViolations(page)));
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "05-approval-dark");
  violations.push(...(await accessibilityViolations(page)));
  await page.emulateMedia({ colorScheme: "light" });
  const saved = page.getByText(/Saved · step \d+/).first();
  for (let asked = 0; asked < 12; asked += 1) {
    await allow.or(saved).first().waitFor();
    if (!(await allow.first().isVisible())) break;
    await allow.first().click();
    await page.waitForFunction(() => document.querySelectorAll("[data-approval-sending]").length === 0);
  }
  await saved.waitFor();
  await page.getByText("DEMO.md").first().waitFor();
  await screenshot(page, "06-done");
  const rows = await page.getByRole("article").count();
  expect(rows).toBeGreaterThan(2);
  await page.reload();
  await page.getByText("DEMO.md").first().waitFor();
  await page
    .getByText(/Saved · step \d+/)
    .first()
    .waitFor();
  await screenshot(page, "07-returned");
  const address = page.url();
  await page.goto(platform.url);
  await page
    .getByRole("main")
    .getByText(/Look around/)
    .first()
    .waitFor();
  await screenshot(page, "08-list");
  violations.push(...(await accessibilityViolations(page)));
  await page.setViewportSize(PHONE);
  await page.goto(address);
  await page.getByText("DEMO.md").first().waitFor();
  await screenshot(page, "09-phone-light");
  violations.push(...(await accessibilityViolations(page)));
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "10-phone-dark");
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: "light" });
  await page.getByRole("button", { name: "Share" }).click();
  await page.getByRole("button", { name: /create link/i }).click();
  const link = await page.getByRole("textbox", { name: /link/i }).inputValue();
  expect(link).toMatch(/\/share\/shr_[0-9a-z]+#\S+$/);
  await screenshot(page, "11-share");
  violations.push(...(await accessibilityViolations(page)));
  const friend = await openPage(browser);
  await friend.page.goto(link);
  await friend.page.getByText("DEMO.md").first().waitFor();
  expect(friend.page.url()).not.toContain("#");
  expect(await friend.page.getByRole("textbox").count()).toBe(0);
  await screenshot(friend.page, "12-shared-view");
  violations.push(...(await accessibilityViolations(friend.page)));
  expect([...complaints, ...friend.complaints]).toEqual([]);
  expect([...new Set(violations)]).toEqual([]);
  await friend.context.close();
  await context.close();
});
