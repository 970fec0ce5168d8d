/** What programs need, on the screen: tokens, webhooks, keys of other providers, a project's model, and what they do in a session. */
import type { Browser, Page } from "@playwright/test";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { accessibilityViolations, openBrowser, PHONE, screenshot } from "../support/node/browser.ts";
import { newId } from "../support/node/ids.ts";
import { DAY_MS, Programs, providerKey, TOKEN, token, webhook } from "./scripted-programs.ts";
import { MARA, openScreen, type Pages, ScriptedSession, servePages, sessionShown } from "./scripted-session.ts";

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

describe("keys of other providers", () => {
  it("are checked, stored, tested and removed, one for each provider that is offered", async () => {
    const programs = new Programs();
    programs.keys = [providerKey("anthropic", { models: ["claude-sonnet-5"] })];
    const { page } = await open(programs, { path: "/settings/api-key" });
    const others = page.getByRole("region", { name: "Other providers" });
    await others.getByText("OpenRouter", { exact: true }).waitFor();
    await expectAccessible(page, "keys-none");
    await others.getByRole("button", { name: "Add a key for OpenAI" }).click();
    await page.getByRole("button", { name: "Check and save" }).click();
    await page.getByText("Paste a key first.").waitFor();
    await page.getByLabel("API key", { exact: true }).fill("sk-test-0123456789");
    programs.refusal = { status: 422, code: "key_invalid", message: "The provider refused this key." };
    await page.getByRole("button", { name: "Check and save" }).click();
    await page.getByText("The provider refused this key.").waitFor();
    await expectAccessible(page, "keys-refused");
    expect(await page.getByLabel("API key", { exact: true }).inputValue()).toBe("sk-test-0123456789");
    await page.getByRole("button", { name: "Check and save" }).click();
    await others.getByText("3 models", { exact: false }).waitFor();
    await others.getByRole("button", { name: "Add a key for another provider" }).click();
    await page.getByLabel("Address", { exact: true }).fill("https://llm.example.com/v1");
    await page.getByLabel("API key", { exact: true }).fill("secret");
    await expectAccessible(page, "keys-custom");
    await page.getByRole("button", { name: "Check and save" }).click();
    await others.getByText("https://llm.example.com/v1").waitFor();
    await others.scrollIntoViewIfNeeded();
    await expectAccessible(page, "keys");
    await others.getByRole("button", { name: "Remove the key for OpenAI…" }).click();
    await page.getByRole("button", { name: "Remove the key", exact: true }).click();
    await others.getByRole("button", { name: "Add a key for OpenAI" }).waitFor();
    expect(programs.keys.map(({ provider }) => provider)).toEqual(["anthropic", "custom"]);
  });

  it("stand out of the way where the operator offers none", async () => {
    const session = new ScriptedSession();
    session.config = { features: { agent: true, execute: true, api: true, providers: ["anthropic"] } };
    const { page } = await open(new Programs(), { path: "/settings/api-key" }, session);
    await page.getByText("No key is stored.").waitFor();
    expect(await page.getByText("Other providers").count()).toBe(0);
  });
});

describe("a project", () => {
  it("says by which names programs reach it, and takes the model that answers for it", async () => {
    const programs = new Programs();
    programs.keys = [providerKey("openai")];
    const session = new ScriptedSession();
    const { page } = await open(programs, { path: `/p/${session.projectId}` }, session);
    await page.getByText(`agent:${session.projectId}`).waitFor();
    await page.getByLabel("Direct answers come from").selectOption({ label: "OpenRouter" });
    await page.getByText("No key for OpenRouter is stored yet.", { exact: false }).waitFor();
    await page.getByLabel("Direct answers come from").selectOption({ label: "OpenAI" });
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Enter the name of a model.").waitFor();
    await page.getByLabel("Model", { exact: true }).fill("gpt-5-mini");
    await expectAccessible(page, "project");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved", { exact: true }).waitFor();
    expect(programs.projectPatches).toEqual([{ model: { provider: "openai", model: "gpt-5-mini" } }]);
  });
});

describe("in a session", () => {
  const CI = { userId: MARA.userId, name: "CI on the relay repository (API)" };

  const begun = () => {
    const session = new ScriptedSession();
    session.host("ready");
    const [promptId, turnId, approvalId] = [newId("prompt"), newId("turn"), newId("approval")];
    session.log({ type: "prompt_queued", promptId, text: "Run the tests and fix what fails.", delivery: "queue", author: CI });
    session.log({ type: "turn_started", turnId, promptId }, { turnId });
    const subject = "git push --force";
    const request = {
      kind: "permission" as const,
      approvalId,
      toolId: "t1",
      tool: "Bash",
      subject,
      reason: "",
      input: { command: subject },
    };
    session.log({ type: "approval_requested", request }, { turnId });
    session.log(
      {
        type: "approval_answered",
        approvalId,
        answer: { decision: "deny", message: "The program that asked allows edits of files alone." },
        author: CI,
      },
      { turnId },
    );
    const executionId = newId("execution");
    const say = (stream: "stdout" | "stderr", offset: number, text: string) =>
      session.tell({ type: "execution_output", executionId, stream, offset, text });
    const start = () =>
      session.log({ type: "execution_started", executionId, what: "npm test -- reconnect\nnpm run lint", language: "bash", author: CI });
    const end = (exitCode: number, stdout: string) =>
      session.log({
        type: "execution_ended",
        executionId,
        status: exitCode === 0 ? "completed" : "failed",
        exitCode,
        signal: null,
        durationMs: 6_200,
        stdout,
        stderr: exitCode === 0 ? "" : "npm error code 1\n",
        omittedBytes: 0,
        filesChanged: [{ path: "test/report.json", status: "modified", additions: 12, deletions: 3 }],
      });
    return { session, start, say, end };
  };

  it("names the program that asked, answered and ran, and shows output as it comes", async () => {
    const { session, start, say, end } = begun();
    const { page } = await open(new Programs(), { path: `/s/${session.sessionId}` }, session);
    await sessionShown(page);
    await page.getByText(CI.name, { exact: true }).waitFor();
    await page.getByText(`Denied by ${CI.name}`).waitFor();
    start();
    await page.getByRole("button", { name: /^Bash npm test/ }).waitFor();
    say("stdout", 0, "\u001B[32m✓\u001B[39m resumes after a gap\n");
    await page.getByText("resumes after a gap").waitFor();
    say("stdout", 0, "\u001B[32m✓\u001B[39m resumes after a gap\n\u001B[31m✗\u001B[39m keeps order\n");
    await page.getByText("keeps order").waitFor();
    expect(await page.getByText("resumes after a gap").count()).toBe(1);
    await expectAccessible(page, "running");
    end(1, "✓ resumes after a gap\n✗ keeps order\n");
    await page.getByText("exit 1").waitFor();
    await page.getByText("npm error code 1").waitFor();
    await page.getByText("test/report.json").waitFor();
    await expectAccessible(page, "failed");
  });

  it("folds what went well, on a phone too", async () => {
    const { session, start, end } = begun();
    start();
    end(0, "41 tests passed\n");
    const { page } = await open(new Programs(), { path: `/s/${session.sessionId}`, ...PHONES }, session);
    const line = page.getByRole("button", { name: /^Bash npm test/ });
    await line.waitFor();
    expect(await page.getByText("41 tests passed").count()).toBe(0);
    await line.click();
    await page.getByText("41 tests passed").waitFor();
    await page.getByText(`Run by ${CI.name}`, { exact: false }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
    await expectAccessible(page, "ran-phone");
  });
});

it("says where coding sessions are switched off, in place of a form that would fail", async () => {
  const session = new ScriptedSession();
  session.config = { features: { agent: false, execute: false, api: true, providers: ["openai"] } };
  const { page } = await open(new Programs(), { path: "/new" }, session);
  await page.getByRole("heading", { name: "Coding sessions are switched off here" }).waitFor();
  expect(await page.getByRole("textbox", { name: "Prompt" }).count()).toBe(0);
  await expectAccessible(page, "agent-off");
  await page.getByRole("link", { name: "Open Settings, API" }).click();
  await page.getByRole("heading", { name: "Use this from your own program" }).waitFor();
  expect(await page.getByRole("region", { name: "Webhooks" }).count()).toBe(0);
});
