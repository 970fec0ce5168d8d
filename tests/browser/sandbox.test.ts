/** The screen of a sandbox session: states of the host, lifecycles, network, several agents, and how one is set up. */
import type { Browser, Page } from "@playwright/test";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { accessibilityViolations, openBrowser, PHONE } from "../support/node/browser.ts";
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

async function open(session: ScriptedSession, options: Parameters<typeof openScreen>[3] = {}): Promise<Page> {
  const screen = await openScreen(browser, pages, session, options);
  screen.page.on("close", () => complaints.push(...screen.complaints));
  return screen.page;
}

/** Light and dark: every state has to be readable in both. */
async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForFunction((theme) => document.documentElement.dataset["theme"] === theme, colorScheme);
    // Half-way colours are no theme: the frame that starts a transition, then its end.
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    await page.waitForFunction(() => document.getAnimations().every((animation) => !(animation instanceof CSSTransition)));
    expect(await accessibilityViolations(page), colorScheme).toEqual([]);
  }
}

describe("warm-up", () => {
  it("[HO2] asks for a runner when somebody who may prompt opens the session, once", async () => {
    const session = new ScriptedSession();
    session.host("asleep");
    const page = await open(session);
    await session.until("warm");
    session.host("waking", 2);
    await page.getByRole("button", { name: /^Waking/ }).waitFor();
    session.host("asleep", 2);
    await page.getByText("Asleep").first().waitFor();
    expect(session.sent("warm")).toHaveLength(1);
    await page.getByRole("textbox", { name: "Prompt" }).press("x");
    await session.until("warm", 2);
  });

  it("[RO4] asks for nothing on a mere look", async () => {
    const session = new ScriptedSession();
    session.role = "approver";
    session.host("asleep");
    const page = await open(session);
    await page.getByText("You can view this session and answer its requests.").waitFor();
    session.log({ type: "session_renamed", title: "Renamed while one looks" });
    await page.getByRole("heading", { name: "Renamed while one looks" }).waitFor();
    expect(session.frames.map(({ type }) => type)).toEqual(["hello"]);
  });
});

it("[HO8] says what the host does, with its steps and the runner's log", async () => {
  const session = new ScriptedSession();
  session.host("waking", 2);
  const page = await open(session);
  await page.getByRole("button", { name: /^Waking · \d/ }).click();
  await page.getByText("Restore the saved files").waitFor();
  expect(await page.getByText("Fetch the project").count()).toBe(0);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Show log" }).click();
  await page.getByRole("group", { name: "Log of the runner" }).getByText("12:04:01 hello").waitFor();
  await expectAccessible(page);
  await page.getByRole("dialog", { name: "Log of the runner" }).getByRole("button", { name: "Close" }).last().click();
  session.host("ready", 2);
  await page.getByRole("button", { name: /^Waking/ }).waitFor({ state: "detached" });
  session.host("degraded", 2);
  await page.getByRole("button", { name: /^Link lost · \d/ }).waitFor();
  session.host("lost", 2);
  await page.getByRole("heading", { name: "The sandbox was lost" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Try again" }).click();
  await session.until("warm");
});

describe("lifecycle and limits", () => {
  it("[LC3] changes the lifecycle from the header, and keeps an ephemeral session's files", async () => {
    const session = new ScriptedSession();
    session.host("ready");
    const page = await open(session);
    await page.getByRole("button", { name: /^How the session lives: Hydrated/ }).click();
    await expectAccessible(page);
    await page.getByRole("menuitemradio", { name: /^Ephemeral/ }).click();
    await session.until("set_lifecycle");
    session.log({ type: "lifecycle_set", lifecycle: "ephemeral", author: MARA });
    await page.getByText("Files go when this session ends.").waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Keep files" }).click();
    await session.until("set_lifecycle", 2);
    expect(session.sent("set_lifecycle").map(({ lifecycle }) => lifecycle)).toEqual(["ephemeral", "hydrated"]);
  });

  it("[HO5] offers to raise the hours when they are used up", async () => {
    const session = new ScriptedSession({ maxHours: 2 });
    session.log({ type: "host_used", incarnation: 1, seconds: 7_200, costUsd: 0.11 });
    session.host("asleep");
    session.log({ type: "time_cap_reached", seconds: 7_200, maxHours: 2 });
    const page = await open(session);
    await page.getByRole("heading", { name: "This session used its 2 hours of sandbox." }).waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Add 4 hours" }).click();
    await session.until("set_max_hours");
    expect(session.sent("set_max_hours")[0]?.maxHours).toBe(6);
    expect(session.sent("warm")).toEqual([]);
    await page.getByRole("button", { name: /^Context and cost/ }).click();
    await page.getByText("2 of 2 h").waitFor();
    await expectAccessible(page);
  });

  it("sets lifecycle, budget and hours in one dialog on the phone", async () => {
    const session = new ScriptedSession();
    session.host("ready");
    const page = await open(session, { viewport: PHONE });
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Lifecycle and limits…" }).click();
    await page.getByLabel("Sandbox hours in all").fill("100");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Enter hours between 0.25 and 72.").waitFor();
    await expectAccessible(page);
    await page.getByLabel("Sandbox hours in all").fill("24");
    await page.getByRole("radio", { name: /^Long-running/ }).check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(session.sent("set_max_hours")[0]?.maxHours).toBe(24);
    expect(session.sent("set_lifecycle")[0]?.lifecycle).toBe("long-running");
    expect(session.sent("set_budget")).toEqual([]);
  });
});

describe("network", () => {
  it("[NW2] tells of a blocked host without taking the focus, and allows it", async () => {
    const session = new ScriptedSession();
    session.host("ready");
    const { turnId } = session.turn("Install it");
    const page = await open(session);
    const prompt = page.getByRole("textbox", { name: "Prompt" });
    await prompt.fill("typing on");
    session.log({ type: "host_blocked", host: "files.example.org", method: "GET", count: 2 }, { turnId });
    await page.getByRole("heading", { name: "files.example.org was blocked" }).waitFor();
    expect(await prompt.evaluate((field) => field === document.activeElement)).toBe(true);
    await page.getByRole("status").getByText("files.example.org was blocked by the network setting").waitFor({ state: "attached" });
    await expectAccessible(page);
    await page.getByRole("region", { name: "Needs your answer" }).getByRole("button", { name: "For this session" }).click();
    await session.until("allow_host");
    expect(session.sent("allow_host")[0]).toMatchObject({ host: "files.example.org", scope: "session" });
    session.log({ type: "host_allowed", host: "files.example.org", scope: "session", author: MARA });
    await page.getByRole("heading", { name: "files.example.org was blocked" }).waitFor({ state: "detached" });
    await page.getByText("Mara allowed files.example.org for this session.").waitFor();
  });

  it("[NW3] shows level, hosts and blocks, and changes them", async () => {
    const session = new ScriptedSession({ network: { level: "custom", hosts: ["docs.example.com"] } });
    session.host("ready");
    session.log({ type: "host_blocked", host: "api.example.com", method: "POST", count: 1 });
    session.onFrame = (frame) => {
      if (frame.type === "set_network") session.log({ type: "network_set", network: frame.network, author: MARA });
    };
    const page = await open(session, { path: `/s/${session.sessionId}?panel=network` });
    await page.getByRole("button", { name: "Always: api.example.com" }).waitFor();
    await expectAccessible(page);
    await page.getByLabel("Add a host").fill("https://10.0.0.1/x");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("Use a name, not an address of numbers.").waitFor();
    await page.getByLabel("Add a host").fill("https://*.acme.dev/path");
    await page.getByLabel("Add a host").press("Enter");
    await page.getByRole("button", { name: "Remove *.acme.dev" }).waitFor();
    await page.getByRole("button", { name: "Remove docs.example.com" }).click();
    await page.getByRole("button", { name: "Remove docs.example.com" }).waitFor({ state: "detached" });
    await page.getByRole("radio", { name: /^Closed/ }).check();
    await page.getByText("Network: closed").waitFor();
    expect(session.sent("set_network").map(({ network }) => network)).toEqual([
      { level: "custom", hosts: ["docs.example.com", "*.acme.dev"] },
      { level: "custom", hosts: ["*.acme.dev"] },
      { level: "none", hosts: ["*.acme.dev"] },
    ]);
  });

  it("[NW3] lets a driver allow a host for the session, and no more", async () => {
    const session = new ScriptedSession();
    session.role = "driver";
    session.host("ready");
    session.log({ type: "host_blocked", host: "api.example.com", method: "POST", count: 1 });
    const page = await open(session, { path: `/s/${session.sessionId}?panel=network` });
    await page.getByRole("button", { name: "For this session: api.example.com" }).waitFor();
    expect(await page.getByRole("button", { name: /^Always/ }).count()).toBe(0);
    expect(await page.getByRole("radio").count()).toBe(0);
    await expectAccessible(page);
  });
});

describe("agents", () => {
  it("[TH1] starts another agent, whose prompts, drafts and rows are its own", async () => {
    const session = new ScriptedSession();
    session.host("ready");
    session.turn("Fix the race");
    const page = await open(session);
    const prompt = page.getByRole("textbox", { name: "Prompt" });
    await prompt.fill("for main");
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "New agent…" }).click();
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("Say in a few words what it is for.").waitFor();
    await expectAccessible(page);
    await page.getByLabel("What it is for").fill("Write the docs");
    await page.getByRole("button", { name: "Start" }).click();
    await session.until("start_thread");
    expect(session.sent("set_lifecycle")[0]?.lifecycle).toBe("multi-agent");
    expect(session.sent("start_thread")[0]).toMatchObject({ thread: "write-the-docs", title: "Write the docs" });
    session.log({ type: "lifecycle_set", lifecycle: "multi-agent", author: MARA });
    session.log({ type: "thread_started", thread: "write-the-docs", title: "Write the docs", author: MARA });
    const agents = page.getByRole("navigation", { name: "Agents" });
    await agents.getByRole("button", { name: /Write the docs/ }).waitFor();
    expect(await prompt.inputValue()).toBe("");
    expect(await page.getByRole("log").getByText("Fix the race").count()).toBe(0);
    await prompt.fill("Describe it");
    await prompt.press("Control+Enter");
    await session.until("prompt");
    expect(session.sent("prompt")[0]).toMatchObject({ thread: "write-the-docs", text: "Describe it" });
    await agents.getByRole("button", { name: /Main/ }).click();
    await page.getByRole("log").getByText("Fix the race").first().waitFor();
    expect(await prompt.inputValue()).toBe("for main");
    await expectAccessible(page);
  });

  it("[TH3] stops one agent or all, and says whose request it is", async () => {
    const session = new ScriptedSession({ lifecycle: "multi-agent" });
    session.host("ready");
    const main = session.turn("Fix the race");
    session.log({ type: "thread_started", thread: "docs", title: "Docs", author: MARA });
    const docs = session.turn("Describe it", "docs");
    const page = await open(session, { path: `/s/${session.sessionId}?thread=docs`, viewport: PHONE });
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await session.until("stop");
    expect(session.sent("stop")[0]?.turnId).toBe(docs.turnId);
    await page.getByRole("button", { name: "Stop all" }).click();
    await session.until("stop_all");
    expect(session.sent("stop_all")[0]?.turnIds.toSorted()).toEqual([main.turnId, docs.turnId].toSorted());
    const request = { kind: "plan" as const, approvalId: `apr_${"0".repeat(26)}`, toolId: "t", plan: "One step." };
    session.log({ type: "approval_requested", request }, main);
    await page.getByText("Asked just now · in Main").waitFor();
    await expectAccessible(page);
    await page.getByRole("combobox", { name: "Agents" }).selectOption("main");
    await page.getByRole("log").getByText("Fix the race").first().waitFor();
  });
});

describe("setting up", () => {
  it("starts a session in a sandbox as chosen, and begins the next one the same way", async () => {
    const session = new ScriptedSession();
    session.host("ready");
    const { page, created, complaints: told } = await openScreen(browser, pages, session, { path: "/new" });
    await page.getByRole("textbox", { name: "Prompt" }).fill("Look around");
    await page.getByText("More options").click();
    await page.getByRole("radio", { name: /^2 processors/ }).check();
    await page.getByRole("radio", { name: /^Registries and listed hosts/ }).check();
    await page.getByLabel("Add a host").fill("docs.example.com");
    await page.getByLabel("Add a host").press("Enter");
    await page.getByRole("list", { name: "Listed hosts" }).getByText("docs.example.com").waitFor();
    await page.getByLabel("Stop the sandbox after, in hours").fill("3");
    await expectAccessible(page);
    await page.getByRole("button", { name: "Start session" }).click();
    await sessionShown(page);
    expect(created[0]).toMatchObject({
      host: "sandbox",
      size: "standard-3",
      network: { level: "custom", hosts: ["docs.example.com"] },
      maxHours: 3,
      prompt: { text: "Look around" },
    });
    await page.goto(`${pages.url}/new?project=${session.projectId}`);
    await page.getByText("Hydrated · 2 processors, 8 GiB · Registries and listed hosts").waitFor();
    expect(told).toEqual([]);
  });

  it("keeps always-allowed hosts and Git logins in the settings", async () => {
    const sent: string[] = [];
    const page = await open(new ScriptedSession(), {
      path: "/settings/network",
      onApi: (route, pathname) => {
        const method = route.request().method();
        if (method === "GET") return false;
        sent.push(`${method} ${pathname} ${route.request().postData() ?? ""}`.trim());
        const login = { credentialId: "gcr_1", host: "github.com", username: "git", last4: "cret", createdAt: 1, lastUsedAt: null };
        void (method === "DELETE"
          ? route.fulfill({ status: 204 })
          : route.fulfill({ json: method === "POST" ? login : { host: "x", createdAt: 1 } }));
        return true;
      },
    });
    await page.getByLabel("Add a host").fill("*.acme.dev");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("button", { name: "Remove docs.example.com" }).click();
    await page.getByRole("button", { name: "Add a Git login" }).click();
    await page.getByRole("button", { name: "Check and save" }).click();
    await page.getByText("Paste a token first.").waitFor();
    await expectAccessible(page);
    await page.getByLabel("Token or password").fill("ghp_secret");
    await page.getByRole("button", { name: "Check and save" }).click();
    await page.getByText("The login for github.com works and is saved.").waitFor();
    expect(sent).toEqual([
      `PUT /api/allowed-hosts/${encodeURIComponent("*.acme.dev")}`,
      "DELETE /api/allowed-hosts/docs.example.com",
      'POST /api/git-credentials {"host":"github.com","secret":"ghp_secret"}',
    ]);
  });
});
