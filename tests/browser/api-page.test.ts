/** The page of the API in a real browser: under the policy of every page, in both colour schemes, on a phone, by keyboard. */
import { createServer, type Server } from "node:http";
import type { Browser } from "@playwright/test";
import { afterAll, beforeAll, expect, it } from "vitest";
import { docsPage } from "../../worker/openapi/page.ts";
import { OPERATIONS } from "../../worker/openapi/document.ts";
import { COMMON_HEADERS, HTML_CSP } from "../../worker/middleware/secure-headers.ts";
import { accessibilityViolations, DESKTOP, openBrowser, openPage, PHONE, screenshot } from "../support/node/browser.ts";

let server: Server;
let browser: Browser;
let url: string;

beforeAll(async () => {
  const page = String(await docsPage("https://platform.example"));
  server = createServer((_, response) => {
    response
      .writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": HTML_CSP, ...COMMON_HEADERS })
      .end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/v1/docs`;
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

it.each([
  ["light", DESKTOP],
  ["dark", DESKTOP],
  ["light", PHONE],
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
  expect(asked.filter((one) => !one.startsWith(url.slice(0, -"/v1/docs".length)))).toEqual([]);
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
  expect(selected).toContain("curl https://platform.example/v1/code/execute");
  expect(await page.locator("article").count()).toBe(OPERATIONS.length);
  await context.close();
});
