/** The app as something to install: the browser's own judgement, what is kept on the device, and what is seen without a network. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import os from "node:os";
import path from "node:path";
import { mkdtempSync, rmSync } from "node:fs";
import { type BrowserContext, chromium, type Page } from "@playwright/test";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findChromium } from "../../scripts/test/chromium.ts";
import { root } from "../../scripts/start/server.ts";
import { accessibilityViolations, screenshot } from "../support/node/browser.ts";
import { startTestPlatform, type TestPlatform } from "../support/node/test-platform.ts";

const MAX_PRECACHE_BYTES = 900 * 1_024;
const client = path.join(root, "dist/client");

let platform: TestPlatform;
let context: BrowserContext;
let profile: string;

beforeAll(async () => {
  platform = await startTestPlatform({ machine: false });
  profile = mkdtempSync(path.join(os.tmpdir(), "adp-profile-"));
  const executablePath = findChromium() ?? "";
  // A profile on disk: a private window can install nothing.
  context = await chromium.launchPersistentContext(profile, { executablePath, args: ["--no-sandbox", "--disable-gpu"] });
});
afterAll(async () => {
  await context?.close();
  await platform?.stop();
  if (profile !== undefined) rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

const ready = (page: Page) => page.evaluate(async () => void (await navigator.serviceWorker.ready));

it("can be installed, by the browser's own judgement", async () => {
  const page = await context.newPage();
  await page.goto(`${platform.url}/signin`);
  await ready(page);
  const devtools = await context.newCDPSession(page);
  const manifest = await devtools.send("Page.getAppManifest");
  expect(manifest.errors).toEqual([]);
  expect(manifest.url).toBe(`${platform.url}/manifest.webmanifest`);
  const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
  expect(installabilityErrors).toEqual([]);
  await page.close();
});

it("keeps the app's own files on the device, and nothing else", async () => {
  const page = await context.newPage();
  await page.goto(`${platform.url}/signin`);
  await ready(page);
  const kept = await page.evaluate(async () => {
    const found: { pathname: string; bytes: number; isRedirect: boolean }[] = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const response = await cache.match(request);
        const bytes = (await response?.arrayBuffer())?.byteLength ?? 0;
        found.push({ pathname: new URL(request.url).pathname, bytes, isRedirect: response?.redirected === true });
      }
    }
    return found;
  });
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.filter(({ pathname }) => /^\/(api|v1|share|runner|machine|llm|git|s)\//.test(pathname) || pathname === "/")).toEqual([]);
  expect(kept.filter(({ bytes, isRedirect }) => bytes === 0 || isRedirect)).toEqual([]);
  expect(kept.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(MAX_PRECACHE_BYTES);
  await page.close();
});

it("says what works without the network, and comes back by itself", async () => {
  const page = await context.newPage();
  await page.goto(`${platform.url}/signin`);
  await ready(page);
  await context.setOffline(true);
  await page.reload();
  await page.getByRole("heading", { name: "The platform cannot be reached" }).waitFor();
  expect(new URL(page.url()).pathname).toBe("/signin");
  expect(await accessibilityViolations(page)).toEqual([]);
  await screenshot(page, "offline");
  await context.setOffline(false);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await page.close();
});

it("offers a new version, and changes nothing until somebody takes it", async () => {
  let build = "first";
  // The built files alone: two deployments one after the other.
  const server = createServer((request, response) => {
    const name = (request.url ?? "/").split("?")[0] ?? "/";
    const file = name === "/offline" ? "offline.html" : /\.\w+$/.test(name) ? name : "index.html";
    const type = { js: "text/javascript", html: "text/html", css: "text/css", svg: "image/svg+xml" }[file.split(".").at(-1) ?? ""];
    if (name.startsWith("/api/")) return response.writeHead(503).end("{}");
    const content = readFileSync(path.join(client, file));
    response.writeHead(200, type === undefined ? {} : { "content-type": type });
    return response.end(name === "/sw.js" ? `${content.toString()}\n// ${build}` : content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  try {
    const page = await context.newPage();
    await page.goto(`${url}/signin`);
    await ready(page);
    await page.reload();
    expect(await page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
    expect(await page.locator("#new-version").count()).toBe(0);
    build = "second";
    await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
    await page.getByText("A new version is ready.").waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    const reloaded = page.waitForEvent("load");
    await page.getByRole("button", { name: "Reload" }).click();
    await reloaded;
    await ready(page);
    expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.waiting ?? null)).toBeNull();
    await page.close();
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
