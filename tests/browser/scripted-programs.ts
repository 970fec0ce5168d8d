/** What the pages for programs ask of /api, answered from memory: tokens, webhooks, keys. Bodies are read by the protocol's own schemas. */
import { apiTokenCreateSchema, type ApiTokenBody } from "@ai-dev-platform/protocol/api/access";
import { webhookCreateSchema, type WebhookBody } from "@ai-dev-platform/protocol/api/webhooks";
import { keyCreateSchema, projectPatchSchema, type KeyBody } from "@ai-dev-platform/protocol/http";
import type { Browser, Page, Route } from "@playwright/test";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { accessibilityViolations, openBrowser, PHONE, screenshot } from "../support/node/browser.ts";
import { openScreen, type Pages, ScriptedSession, servePages } from "./scripted-session.ts";

export const DAY_MS = 86_400_000;
export const TOKEN = `adp_live_${"k3Yb".repeat(8)}0aB1cD`;

export const token = (patch: Partial<ApiTokenBody>): ApiTokenBody => ({
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
export const webhook = (patch: Partial<WebhookBody>): WebhookBody => ({
  webhookId: "whk_1",
  url: "https://ci.example.com/hooks/claude",
  events: ["turn.ended", "approval.requested"],
  createdAt: Date.now() - DAY_MS,
  lastAttempt: { at: Date.now() - 120_000, status: 204, error: null },
  waiting: 0,
  isFailing: false,
  ...patch,
});

export const providerKey = (provider: KeyBody["provider"], patch: Partial<KeyBody> = {}): KeyBody => ({
  keyId: `key_${provider}`,
  provider,
  baseUrl: null,
  last4: "Qk4A",
  fingerprint: "b2c4 91fe 00aa",
  status: "working",
  createdAt: Date.now() - 12 * DAY_MS,
  checkedAt: Date.now() - 120_000,
  lastUsedAt: Date.now() - 240_000,
  rotateAt: null,
  isActive: true,
  models: ["gpt-5", "gpt-5-mini", "o4-mini"],
  ...patch,
});

/** The server's side of these pages, held to the protocol's schemas. */
export class Programs {
  tokens: ApiTokenBody[] = [];
  webhooks: WebhookBody[] = [];
  keys: KeyBody[] = [];
  /** Bodies of PATCH /api/projects/:id, as the server's schema reads them. */
  readonly projectPatches: unknown[] = [];
  /** The next change is refused with this. */
  refusal: { status: number; code: string; message: string; detail?: string } | null = null;
  readonly answer = (route: Route, pathname: string): boolean => {
    const [, , kind, id, action] = pathname.split("/");
    const method = route.request().method();
    if (kind === "projects" && method === "PATCH") return this.#patchProject(route);
    if (kind !== "tokens" && kind !== "webhooks" && kind !== "keys") return false;
    if (method === "GET") return this.#reply(route, 200, { [kind]: this[kind] });
    if (this.refusal !== null) {
      const { status, ...error } = this.refusal;
      this.refusal = null;
      return this.#reply(route, status, { error });
    }
    if (method === "DELETE") {
      this.tokens = this.tokens.filter(({ tokenId }) => tokenId !== id);
      this.webhooks = this.webhooks.filter(({ webhookId }) => webhookId !== id);
      this.keys = this.keys.filter(({ keyId }) => keyId !== id);
      return this.#reply(route, 204);
    }
    if (kind === "keys") return action === "test" ? this.#reply(route, 200, this.keys[0]) : this.#storeKey(route);
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
  #storeKey(route: Route): boolean {
    const { provider, baseUrl = null } = keyCreateSchema.parse(route.request().postDataJSON());
    const stored = providerKey(provider, { baseUrl, ...(provider === "custom" ? { models: [] } : {}) });
    this.keys = [...this.keys.filter((key) => key.provider !== provider), stored];
    return this.#reply(route, 201, stored);
  }
  #patchProject(route: Route): boolean {
    const patch = projectPatchSchema.parse(route.request().postDataJSON());
    this.projectPatches.push(patch);
    return this.#reply(route, 200, {});
  }
  #reply(route: Route, status: number, json?: unknown): true {
    void route.fulfill(json === undefined ? { status } : { status, json });
    return true;
  }
}

const complaints: string[] = [];
let pages: Pages;
let browser: Browser;

/** A browser before the built pages, for one test file: each test's own pages are closed, and nothing may have complained. */
export function setUpScreens(): void {
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
}

export const siteUrl = (): string => pages.url;
export const PHONES = { viewport: PHONE, isTouch: true } as const;

export async function open(programs: Programs, options: Parameters<typeof openScreen>[3] = {}, session = new ScriptedSession()) {
  const screen = await openScreen(browser, pages, session, { path: "/settings/api", onApi: programs.answer, ...options });
  screen.page.on("close", () => complaints.push(...screen.complaints));
  return screen;
}

/** Light and dark: every state has to be readable in both, and to look right. */
export async function expectAccessible(page: Page, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForFunction((theme) => document.documentElement.dataset["theme"] === theme, colorScheme);
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    await page.waitForFunction(() => document.getAnimations().every((animation) => !(animation instanceof CSSTransition)));
    await screenshot(page, `programs-${name}-${colorScheme}`);
    expect(await accessibilityViolations(page), `${name} ${colorScheme}`).toEqual([]);
  }
}
