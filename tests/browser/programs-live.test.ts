/** What the pages for programs make, used by programs: against the real platform, its scripted model and a receiver of webhooks. */
import { createServer } from "node:http";
import type { Browser } from "@playwright/test";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { signUp } from "../support/node/account.ts";
import { openBrowser, openPage, screenshot } from "../support/node/browser.ts";
import { freePort, startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";

let platform: TestPlatform;
let browser: Browser;
const complaints: string[] = [];

beforeAll(async () => {
  platform = await startTestPlatform();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await platform?.stop();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  expect(complaints.splice(0)).toEqual([]);
});

/** A person, and a page of theirs. */
async function openApiTab() {
  const account = await signUp(platform.url);
  const { page, context, complaints: said } = await openPage(browser);
  page.on("close", () => complaints.push(...said));
  await context.addCookies(cookiesOf(account.cookie(), platform.url));
  await page.goto(`${platform.url}/settings/api`);
  return { account, page };
}

it("a token made here answers a program, tells what it spent, and is refused once revoked", async () => {
  const { account, page } = await openApiTab();
  await account.json("POST", "/api/keys", { apiKey: TEST_KEY });
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Script");
  await page.getByLabel("Budget in US dollars").fill("5");
  await page.getByRole("button", { name: "Make the token" }).click();
  const secret = await page.getByRole("textbox", { name: "The token" }).inputValue();
  await screenshot(page, "programs-real-secret");
  const call = () =>
    fetch(`${platform.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "default", messages: [{ role: "user", content: "Say hello." }] }),
    });
  const answered = await call();
  expect(answered.status).toBe(200);
  expect(await answered.json()).toMatchObject({ object: "chat.completion", choices: [{ message: { role: "assistant" } }] });
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Close without it" }).click();
  await page.reload();
  const tokens = page.getByRole("region", { name: "Tokens" });
  await tokens.getByText("last used", { exact: false }).waitFor();
  await tokens.getByText("of $5.00", { exact: false }).waitFor();
  await screenshot(page, "programs-real-list");
  await tokens.getByRole("button", { name: "Revoke Script…" }).click();
  await page.getByRole("button", { name: "Revoke the token" }).click();
  await page.getByRole("heading", { name: "Use this from your own program" }).waitFor();
  const refused = await call();
  expect(refused.status).toBe(401);
  expect(await refused.json()).toMatchObject({ error: { code: "invalid_api_key" } });
});

it("a webhook made here is tested, and its secret verifies what arrives", async () => {
  const receiver = await receiveWebhooks();
  const { page } = await openApiTab();
  await page.getByRole("button", { name: "New webhook" }).click();
  await page.getByLabel("Address", { exact: true }).fill(receiver.url);
  await page.getByRole("button", { name: "Make the webhook" }).click();
  const secret = await page.getByRole("textbox", { name: "Signing secret" }).inputValue();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Close without it" }).click();
  await page.getByRole("button", { name: `Send a test to ${receiver.url}` }).click();
  const { body, headers } = await receiver.first;
  expect(new Webhook(secret).verify(body, headers)).toMatchObject({ data: expect.anything() });
  await page.getByText("Delivered (204)").waitFor();
  receiver.close();
});

it("[EX5] what a program has run shows as it comes, and a person can stop it", async () => {
  const { account, page } = await openApiTab();
  await account.json("POST", "/api/keys", { apiKey: TEST_KEY });
  const { sessionId } = await account.createSession({ kind: "empty" });
  const { token } = await account.json<{ token: string }>("POST", "/api/tokens", { name: "Nightly", scopes: ["execute"] });
  await page.goto(`${platform.url}/s/${sessionId}`);
  await page.getByRole("log", { name: "Conversation" }).waitFor();
  const answer = fetch(`${platform.url}/v1/code/execute`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ session_id: sessionId, command: "echo begun; sleep 300" }),
  });
  await page.getByText("begun", { exact: true }).waitFor();
  await screenshot(page, "programs-real-running");
  await page.getByText("Run by Mara (Nightly)").waitFor();
  await page.getByRole("button", { name: "Stop the command" }).click();
  await page.getByText("stopped", { exact: true }).waitFor();
  await screenshot(page, "programs-real-stopped");
  expect(await (await answer).json()).toMatchObject({ status: "stopped", stdout: "begun\n" });
});

const cookiesOf = (header: string, url: string) =>
  header.split("; ").map((pair) => {
    const cut = pair.indexOf("=");
    return { name: pair.slice(0, cut), value: pair.slice(cut + 1), url };
  });

/** A program that is told, on this computer. */
async function receiveWebhooks() {
  let tell: (delivery: { body: string; headers: Record<string, string> }) => void = () => undefined;
  const first = new Promise<{ body: string; headers: Record<string, string> }>((resolve) => (tell = resolve));
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => (body += String(piece)));
    request.on("end", () => {
      tell({ body, headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])) });
      response.writeHead(204).end();
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${port}/hook`, first, close: () => server.close() };
}
