/** What programs need, on the screen: tokens, webhooks, keys of other providers, a project's model, and what they do in a session. */
import type { ApiTokenBody } from "@ai-dev-platform/protocol/api/access";
import { apiTokenCreateSchema } from "@ai-dev-platform/protocol/api/access";
import { webhookCreateSchema, type WebhookBody } from "@ai-dev-platform/protocol/api/webhooks";
import type { Browser, Page, Route } from "@playwright/test";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { accessibilityViolations, openBrowser, PHONE, screenshot } from "../support/node/browser.ts";
import { openScreen, type Pages, ScriptedSession, servePages } from "./scripted-session.ts";

let pages: Pages;
let browser: Browser;
const complaints: string[] = [];

beforeAll(async () => {
  pages = await servePages();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await pages?.stop();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  expect(complaints.splice(0)).toEqual([]);
});

const DAY_MS = 86_400_000;
const TOKEN = `adp_live_${"k3Yb".repeat(8)}0aB1cD`;

const token = (patch: Partial<ApiTokenBody>): ApiTokenBody => ({
  tokenId: "atk_1",
  name: "CI on the relay repository",
  last4: "1cDx",
  scopes: ["chat", "sessions:read", "sessions:write", "approve:edits"],
  createdAt: Date.now() - 3 * DAY_MS,
  expiresAt: Date.now() + 87 * DAY_MS,
  lastUsedAt: Date.now() - 4 * 60_000,
  budgetUsd: 20,
  spentUsd: 7.42,
  ...patch,
});
const webhook = (patch: Partial<WebhookBody>): WebhookBody => ({
  webhookId: "whk_1",
  url: "https://ci.example.com/hooks/claude",
  events: ["turn.ended", "approval.requested"],
  createdAt: Date.now() - DAY_MS,
  lastAttempt: { at: Date.now() - 120_000, status: 204, error: null },
  waiting: 0,
  isFailing: false,
  ...patch,
});

/** The server's side of these pages, held to the protocol's schemas. */
class Programs {
  tokens: ApiTokenBody[] = [];
  webhooks: WebhookBody[] = [];
  /** The next change is refused with this. */
  refusal: { status: number; code: string; message: string; detail?: string } | null = null;
  readonly answer = (route: Route, pathname: string): boolean => {
    const [, , kind, id, action] = pathname.split("/");
    const method = route.request().method();
    if (kind !== "tokens" && kind !== "webhooks") return false;
    if (method === "GET") return this.#reply(route, 200, kind === "tokens" ? { tokens: this.tokens } : { webhooks: this.webhooks });
    if (this.refusal !== null) {
      const { status, ...error } = this.refusal;
      this.refusal = null;
      return this.#reply(route, status, { error });
    }
    if (method === "DELETE") {
      this.tokens = this.tokens.filter(({ tokenId }) => tokenId !== id);
      this.webhooks = this.webhooks.filter(({ webhookId }) => webhookId !== id);
      return this.#reply(route, 204);
    }
    if (action === "test") {
      this.webhooks = this.webhooks.map((known) =>
        known.webhookId === id ? { ...known, isFailing: false, lastAttempt: { at: Date.now(), status: 204, error: null } } : known,
      );
      return this.#reply(route, 202);
    }
    return kind === "tokens" ? this.#makeToken(route) : this.#makeWebhook(route);
  };
  #makeToken(route: Route): boolean {
    const { expiresInDays, ...asked } = apiTokenCreateSchema.parse(route.request().postDataJSON());
    const expiresAt = expiresInDays === null ? null : Date.now() + expiresInDays * DAY_MS;
    const made = token({
      ...asked,
      tokenId: `atk_${this.tokens.length + 2}`,
      createdAt: Date.now(),
      expiresAt,
      lastUsedAt: null,
      spentUsd: 0,
    });
    this.tokens = [...this.tokens, made];
    return this.#reply(route, 201, { ...made, token: TOKEN });
  }
  #makeWebhook(route: Route): boolean {
    const asked = webhookCreateSchema.parse(route.request().postDataJSON());
    const made = webhook({ ...asked, webhookId: `whk_${this.webhooks.length + 2}`, createdAt: Date.now(), lastAttempt: null });
    this.webhooks = [...this.webhooks, made];
    return this.#reply(route, 201, { ...made, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" });
  }
  #reply(route: Route, status: number, json?: unknown): true {
    void route.fulfill(json === undefined ? { status } : { status, json });
    return true;
  }
}

type Options = Parameters<typeof openScreen>[3];

async function open(programs: Programs, options: Options = {}, session = new ScriptedSession()) {
  const screen = await openScreen(browser, pages, session, { path: "/settings/api", onApi: programs.answer, ...options });
  screen.page.on("close", () => complaints.push(...screen.complaints));
  return screen;
}

/** Light and dark: every state has to be readable in both, and to look right. */
async function expectAccessible(page: Page, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForFunction((theme) => document.documentElement.dataset["theme"] === theme, colorScheme);
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    await page.waitForFunction(() => document.getAnimations().every((animation) => !(animation instanceof CSSTransition)));
    await screenshot(page, `programs-${name}-${colorScheme}`);
    expect(await accessibilityViolations(page), `${name} ${colorScheme}`).toEqual([]);
  }
}
const PHONES = { viewport: PHONE, isTouch: true } as const;
const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? "");

describe("tokens", () => {
  const several = () => [
    token({}),
    token({
      tokenId: "atk_2",
      name: "Editor",
      last4: "9fQa",
      scopes: ["chat"],
      budgetUsd: null,
      spentUsd: 0.42,
      expiresAt: null,
      lastUsedAt: null,
    }),
    token({ tokenId: "atk_3", name: "Nightly report", last4: "ZZ3b", spentUsd: 20, lastUsedAt: Date.now() - 9 * DAY_MS }),
    token({ tokenId: "atk_4", name: "Old laptop", last4: "p0Wq", budgetUsd: null, expiresAt: Date.now() - DAY_MS }),
  ];

  it("says what they are for while there is none, by a call that would work", async () => {
    const { page } = await open(new Programs());
    await page.getByRole("heading", { name: "Use this from your own program" }).waitFor();
    await page.getByText(`curl ${pages.url}/v1/chat/completions`).waitFor();
    await page.getByRole("button", { name: "Python" }).click();
    await page.getByText(`base_url="${pages.url}/v1"`).waitFor();
    expect(await page.getByRole("link", { name: "API reference" }).getAttribute("href")).toBe("/v1/docs");
    await expectAccessible(page, "none");
  });

  it("are listed with what they may do, how long, and what they spent", async () => {
    const programs = new Programs();
    programs.tokens = several();
    programs.webhooks = [
      webhook({}),
      webhook({
        webhookId: "whk_2",
        url: "https://ops.example.com/claude",
        lastAttempt: { at: Date.now() - 60_000, status: 500, error: null },
        waiting: 3,
      }),
      webhook({
        webhookId: "whk_3",
        url: "https://gone.example.com/",
        events: ["turn.ended"],
        isFailing: true,
        lastAttempt: { at: Date.now() - DAY_MS, status: null, error: "The host does not exist" },
      }),
    ];
    const { page } = await open(programs);
    const list = page.getByRole("region", { name: "Tokens" });
    await list.getByText("$7.42 of $20.00").waitFor();
    await list.getByText("Budget spent", { exact: true }).waitFor();
    await list.getByText("Expired", { exact: true }).waitFor();
    await page.getByText("3 waiting", { exact: false }).waitFor();
    await expectAccessible(page, "list");
  });

  it("fit a phone", async () => {
    const programs = new Programs();
    programs.tokens = several();
    programs.webhooks = [webhook({})];
    const { page } = await open(programs, PHONES);
    await page.getByText("Old laptop").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
    await expectAccessible(page, "list-phone");
    await page.getByRole("button", { name: "New token" }).click();
    await expectAccessible(page, "create-phone");
    await page.getByLabel("Name", { exact: true }).fill("Phone");
    await page.getByRole("button", { name: "Make the token" }).click();
    await page.getByRole("textbox", { name: "The token" }).waitFor();
    await expectAccessible(page, "secret-phone");
  });

  it("keep what was typed when making one fails, show the secret once, and ask before it is lost", async () => {
    const programs = new Programs();
    const { page, context } = await open(programs);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "New token" }).click();
    await page.getByRole("button", { name: "Make the token" }).click();
    await page.getByText("Enter a name.").waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute("placeholder"))).toBe("CI on the relay repository");
    await page.getByLabel("Name", { exact: true }).fill("CI");
    await page.getByRole("radio", { name: /^Everything/ }).check();
    await page.getByText("without asking you.", { exact: false }).last().waitFor();
    await page.getByRole("radio", { name: "Choose one by one" }).check();
    await page.getByRole("checkbox", { name: /^Allow everything/ }).uncheck();
    await page.getByLabel("Budget in US dollars").fill("20");
    await expectAccessible(page, "create");
    programs.refusal = { status: 429, code: "rate_limited", message: "Too many requests. Wait a little and try again." };
    await page.getByRole("button", { name: "Make the token" }).click();
    await page.getByText("Too many requests.", { exact: false }).waitFor();
    // Closed by a slip, and opened again: all is still there.
    await page.keyboard.press("Escape");
    expect(await focused(page)).toContain("New token");
    await page.getByRole("button", { name: "New token" }).click();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("CI");
    await page.getByRole("button", { name: "Make the token" }).click();
    expect(await page.getByRole("textbox", { name: "The token" }).inputValue()).toBe(TOKEN);
    expect(programs.tokens[0]).toMatchObject({
      name: "CI",
      budgetUsd: 20,
      scopes: ["chat", "sessions:read", "sessions:write", "execute", "approve:edits"],
    });
    await expectAccessible(page, "secret");
    await page.keyboard.press("Escape");
    await page.getByText("It has not been copied yet", { exact: false }).waitFor();
    await expectAccessible(page, "secret-uncopied");
    await page.getByRole("button", { name: "Copy and close" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(TOKEN);
    expect(await page.content()).not.toContain(TOKEN);
  });

  it("are revoked after a question, and the focus stays in the page", async () => {
    const programs = new Programs();
    programs.tokens = several();
    const { page } = await open(programs);
    await page.getByRole("button", { name: "Revoke Editor…" }).click();
    await page.getByRole("heading", { name: "Revoke “Editor”?" }).waitFor();
    await expectAccessible(page, "revoke");
    await page.getByRole("button", { name: "Revoke the token" }).click();
    await page.getByText("Revoked Editor").waitFor();
    expect(await page.getByText("9fQa", { exact: false }).count()).toBe(0);
    await page.waitForFunction(() => document.activeElement?.textContent === "New token");
  });

  it("are not offered where the operator switched the API off", async () => {
    const session = new ScriptedSession();
    session.config = { features: { agent: true, execute: true, api: false, providers: ["anthropic"] } };
    const { page } = await open(new Programs(), {}, session);
    await page.getByText("has switched the API off", { exact: false }).waitFor();
    expect(await page.getByRole("button", { name: "New token" }).count()).toBe(0);
  });
});

describe("webhooks", () => {
  it("are made with their secret once, tested and removed", async () => {
    const programs = new Programs();
    const { page } = await open(programs);
    await page.getByRole("button", { name: "New webhook" }).click();
    await page.getByLabel("Address", { exact: true }).fill("ci.example.com");
    await page.getByRole("button", { name: "Make the webhook" }).click();
    await page.getByText("Enter a full address", { exact: false }).waitFor();
    await page.getByLabel("Address", { exact: true }).fill("https://ci.example.com/hook");
    programs.refusal = {
      status: 400,
      code: "webhook_address_refused",
      message: "That address cannot be used for a webhook.",
      detail: "It is not public",
    };
    await page.getByRole("button", { name: "Make the webhook" }).click();
    await page.getByText("That address cannot be used for a webhook. (It is not public)").waitFor();
    await expectAccessible(page, "webhook-create");
    await page.getByRole("button", { name: "Make the webhook" }).click();
    expect(await page.getByRole("textbox", { name: "Signing secret" }).inputValue()).toMatch(/^whsec_/);
    await expectAccessible(page, "webhook-secret");
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Close without it" }).click();
    await page.getByText("Nothing was delivered yet").waitFor();
    await page.getByRole("button", { name: "Send a test to https://ci.example.com/hook" }).click();
    await page.getByText("The test arrived at https://ci.example.com/hook.").waitFor();
    await page.getByText("Delivered (204)").waitFor();
    await page.getByRole("button", { name: "Remove https://ci.example.com/hook…" }).click();
    await page.getByRole("button", { name: "Remove the webhook" }).click();
    await page.getByText("No webhook is set up.").waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent === "New webhook");
  });
});
