/** The page of the API in a real browser: under the policy of every page, in both colour schemes, on a phone, by keyboard. */
import type { Browser } from "@playwright/test";
import { afterAll, beforeAll, expect, it } from "vitest";
import { accessibilityViolations, DESKTOP, openBrowser, openPage, PHONE, screenshot } from "../support/node/browser.ts";
import { startTestPlatform, type TestPlatform } from "../support/node/test-platform.ts";

let platform: TestPlatform;
let browser: Browser;
let url: string;

beforeAll(async () => {
  platform = await startTestPlatform({ machine: false });
  url = `${platform.url}/v1/docs`;
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await platform?.stop();
});

it.each([
  ["light", DESKTOP],
  ["dark", PHONE],
] as const)("[AD2] is accessible and quiet: %s, %o", async (colorScheme, viewport) => {
  const { page, context, complaints } = await openPage(browser, { colorScheme, viewport });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(url);
  await page.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
  await screenshot(page, `api-page-${colorScheme}-${viewport.width}`);
  expect(await accessibilityViolations(page)).toEqual([]);
  expect(complaints).toEqual([]);
  expect(asked.filter((one) => !one.startsWith(`${platform.url}/`))).toEqual([]);
  // Nothing is wider than the screen.
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  await context.close();
});

it("[AD2] is walked by keyboard: past the contents, to an operation, and its command is taken whole", async () => {
  const { page, context } = await openPage(browser);
  await page.goto(url);
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("content");
  await page.getByRole("navigation").getByRole("link", { name: "Run code or a command" }).click();
  expect(new URL(page.url()).hash).toBe("#executeCode");
  const command = page.getByLabel("Command: Run code or a command");
  await command.click();
  const selected = await page.evaluate(() => getSelection()?.toString() ?? "");
  expect(selected).toBe(await command.innerText());
  expect(selected).toMatch(/^curl http:\/\/\S+\/v1\/code\/execute /);
  const described = (await (await fetch(`${platform.url}/v1/openapi.json`)).json()) as { paths: Record<string, object> };
  const operations = Object.values(described.paths).reduce((total, methods) => total + Object.keys(methods).length, 0);
  expect(await page.locator("article").count()).toBe(operations);
  await context.close();
});
