/** Settings, API, on the screen: tokens and webhooks, made, shown once, tested and taken back. */
import type { Page, Route } from "@playwright/test";
import { describe, expect, it } from "vitest";
import { PHONE } from "../support/node/browser.ts";
import { DAY_MS, expectAccessible, open, PHONES, Programs, setUpScreens, siteUrl, TOKEN, token, webhook } from "./scripted-programs.ts";
import { ScriptedSession } from "./scripted-session.ts";

setUpScreens();

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
    await page.getByText(`curl ${siteUrl()}/v1/chat/completions`).waitFor();
    await page.getByRole("button", { name: "Python" }).click();
    await page.getByText(`base_url="${siteUrl()}/v1"`).waitFor();
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

  it("are made by keyboard alone, and the focus comes back to where it was", async () => {
    const programs = new Programs();
    const { page, context } = await open(programs);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "New token" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.tagName === "INPUT");
    await page.keyboard.type("Editor");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "The token");
    expect(programs.tokens[0]).toMatchObject({ name: "Editor", scopes: ["chat", "sessions:read", "sessions:write", "approve:edits"] });
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("status").filter({ hasText: "Copied" }).waitFor({ state: "attached" });
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(TOKEN);
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.activeElement?.textContent === "New token");
  });

  it("say when they cannot be loaded, and lose nothing typed while offline", async () => {
    const programs = new Programs();
    let isBroken = true;
    const onApi = (route: Route, pathname: string) => {
      if (!isBroken || pathname !== "/api/tokens") return programs.answer(route, pathname);
      void route.fulfill({ status: 503, json: {} });
      return true;
    };
    const { page, context } = await open(programs, { onApi });
    await page.getByText("This could not be loaded.", { exact: false }).waitFor();
    await expectAccessible(page, "load-failed");
    isBroken = false;
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: "New token" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Offline");
    await context.setOffline(true);
    await page.route("**/api/tokens", (route) => route.abort("internetdisconnected"));
    await page.getByRole("button", { name: "Make the token" }).click();
    await page.getByRole("dialog").getByText("not reachable", { exact: false }).waitFor();
    await expectAccessible(page, "offline");
    await context.setOffline(false);
    await page.unroute("**/api/tokens");
    await page.getByRole("button", { name: "Make the token" }).click();
    expect(await page.getByRole("textbox", { name: "The token" }).inputValue()).toBe(TOKEN);
    expect(programs.tokens[0]).toMatchObject({ name: "Offline" });
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
