/** A person's own machine on the screen: the machines page, its state in a session, the model alone, refusals, a new session. */
import { readFileSync } from "node:fs";
import { fingerprintOf } from "@ai-dev-platform/protocol/signed-text";
import type { Browser, Page } from "@playwright/test";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { accessibilityViolations, openBrowser, PHONE, screenshot } from "../support/node/browser.ts";
import { newId } from "../support/node/ids.ts";
import { browserKey, MARA, openScreen, ownMachine, type Pages, ScriptedSession, servePages, sessionShown } from "./scripted-session.ts";

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

/** The program that the pages' own server hands out. */
const servedProgram = (): string => JSON.parse(readFileSync("dist/client/ai-dev-agent.json", "utf8")).file;

type Options = Parameters<typeof openScreen>[3];

async function open(session: ScriptedSession, options: Options = {}) {
  const screen = await openScreen(browser, pages, session, options);
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
    await screenshot(page, `hybrid-${name}-${colorScheme}`);
    expect(await accessibilityViolations(page), `${name} ${colorScheme}`).toEqual([]);
  }
}

const laptop = ownMachine("Mara’s laptop", {
  folders: ["/home/mara/code/relay", "/home/mara/code/site"],
  state: "busy",
  running: 1,
});
const away = { ...laptop, state: "offline", isOnline: false } as const;
const onLaptop = { host: "machine", machineId: laptop.machineId, isOwnMachine: true } as const;
const usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 };

describe("the machines page", () => {
  const many = (session: ScriptedSession) => [
    { ...laptop, sessions: [{ sessionId: session.sessionId, title: "Fix reconnect race" }] },
    ownMachine("Old desktop in the office", {
      state: "offline",
      isOutdated: true,
      agentVersion: "0.0.9",
      since: Date.now() - 3 * 86_400_000,
    }),
    ownMachine("studio", { state: "reconnecting", platform: "darwin arm64" }),
    ownMachine("rack-7", { isOperator: true, allowsPaths: false, capacity: 16 }),
  ];

  it("names each machine's state, version, folders and sessions", async () => {
    const session = new ScriptedSession();
    session.machines = many(session);
    const { page } = await open(session, { path: "/settings/machines" });
    const own = page.getByRole("region", { name: "Your computers" });
    await own.getByText("Busy · 1 of 4 sessions running").waitFor();
    await own.getByText("Reconnecting").waitFor();
    await own.getByText(/^Offline since /).waitFor();
    await own.getByText("Older than this platform.", { exact: false }).waitFor();
    await own.getByText("/home/mara/code/relay").waitFor();
    await own.getByRole("link", { name: "Fix reconnect race" }).waitFor();
    const lent = page.getByRole("region", { name: "Lent by the operator" });
    expect(await lent.getByRole("button", { name: /^Remove/ }).count()).toBe(0);
    await expectAccessible(page, "machines");
  });

  it("fits a phone", async () => {
    const session = new ScriptedSession();
    session.machines = many(session);
    const { page } = await open(session, { path: "/settings/machines", viewport: PHONE, isTouch: true });
    await page.getByText("rack-7").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
    await expectAccessible(page, "machines-phone");
  });

  it("waits for a new machine, and turns into it by itself", async () => {
    const session = new ScriptedSession();
    const { page } = await open(session, { path: "/settings/machines" });
    await page.getByText("No machine has connected yet.").waitFor();
    await page.getByText(`npx ${pages.url}/${servedProgram()} login --server ${pages.url}`).waitFor();
    await page.getByText("Waiting for it to connect…").waitFor();
    await expectAccessible(page, "machines-none");
    session.machines = [laptop];
    await page.getByText("Mara’s laptop is connected.").waitFor();
    await page.getByRole("link", { name: "New session" }).last().waitFor();
    await expectAccessible(page, "machines-arrived");
  });

  it("opens the way to one more at a press, and takes the focus there", async () => {
    const session = new ScriptedSession();
    session.machines = [laptop];
    const { page } = await open(session, { path: "/settings/machines" });
    await page.getByRole("button", { name: "Add a machine" }).click();
    await page.waitForFunction(() => document.activeElement?.textContent === "Add a machine");
    session.machines = [laptop, ownMachine("desk")];
    await page.getByText("desk is connected.").waitFor();
  });
});

describe("a session on one's own machine", () => {
  it("shows the machine, says that it is away, and lets the model answer alone until it is back", async () => {
    const session = new ScriptedSession(onLaptop);
    session.machines = [away];
    session.log({ type: "host_changed", state: "asleep", incarnation: 1, hostName: laptop.name });
    const { page } = await open(session);
    await sessionShown(page);
    await page.getByText(/Mara’s laptop is offline since .* Prompts wait until it is back\./).waitFor();
    await page.getByRole("button", { name: /^Mara’s laptop/ }).waitFor();
    await expectAccessible(page, "away");
    await page.getByRole("button", { name: "Answer directly" }).click();
    await session.until("set_host");
    expect(session.sent("set_host").at(-1)).toMatchObject({ host: "direct", machineId: null });
    session.log({ type: "host_moved", from: "machine", to: "direct", machineId: null, author: MARA });
    session.config = { sandbox: false };
    await page.getByText("You are talking to the model directly; it cannot touch files.", { exact: false }).waitFor();
    await page.getByRole("button", { name: "Model alone" }).waitFor();
    await expectAccessible(page, "direct");
    session.machines = [laptop];
    await page.getByText("Mara’s laptop is back.", { exact: false }).waitFor();
    await expectAccessible(page, "back");
    await page.getByRole("button", { name: "Go on there" }).click();
    await session.until("set_host", 2);
    expect(session.sent("set_host").at(-1)).toMatchObject({ host: "machine", machineId: laptop.machineId });
    session.log({ type: "host_moved", from: "direct", to: "machine", machineId: laptop.machineId, isOwnMachine: true, author: MARA });
    await page.getByText("Mara’s laptop is back.", { exact: false }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: /^Mara’s laptop/ }).click();
    await page.getByText("1 of 4 sessions running", { exact: false }).waitFor();
    await expectAccessible(page, "chip");
  });

  it("says in the dock that a prompt waits for it, and offers the model alone", async () => {
    const session = new ScriptedSession(onLaptop);
    session.machines = [away];
    session.log({ type: "prompt_queued", promptId: newId("prompt"), text: "Fix the race", delivery: "steer", author: MARA });
    const problem = { code: "no_machine", message: "The prompt waits." };
    const offlineSince = Date.now() - 3_600_000;
    session.log({ type: "host_changed", state: "waiting", incarnation: 1, hostName: laptop.name, problem, offlineSince });
    const { page } = await open(session, { viewport: PHONE, isTouch: true });
    await page.getByRole("heading", { name: /^Mara’s laptop is offline since / }).waitFor();
    expect(await page.getByRole("button", { name: "Answer directly" }).count()).toBe(1);
    await expectAccessible(page, "waiting-phone");
    await page.getByRole("button", { name: "Answer directly" }).click();
    await session.until("set_host");
  });

  it("tells what the machine refused, and the next step", async () => {
    const session = new ScriptedSession(onLaptop);
    session.machines = [laptop];
    session.host("ready");
    const { turnId } = session.turn("Delete the logs");
    const code = "mode_refused";
    session.log({ type: "notice", level: "warning", text: "That machine does not allow this mode.", code }, { turnId });
    const problem = { code: "command_refused", message: "Your machine refused this: it was not signed by a browser that it knows." };
    session.log({ type: "turn_ended", turnId, outcome: "failed", durationMs: 10, usage, problem }, { turnId });
    const { page } = await open(session);
    await page.getByText(`npx ${pages.url}/${servedProgram()} connect --allow-bypass`).waitFor();
    await page.getByRole("heading", { name: "The machine did not do this" }).waitFor();
    await page.getByRole("link", { name: "Machines" }).waitFor();
    await expectAccessible(page, "refused");
  });

  it("tells the next step when Claude is not signed in there", async () => {
    const session = new ScriptedSession({ ...onLaptop, modelSource: "login" });
    session.machines = [laptop];
    session.host("ready");
    const { turnId } = session.turn("Fix the race");
    const problem = { code: "login_missing", message: "Claude is not signed in on that machine." };
    session.log({ type: "turn_ended", turnId, outcome: "failed", durationMs: 10, usage, problem }, { turnId });
    const { page } = await open(session, { viewport: PHONE, isTouch: true });
    await page.getByText("claude auth login").first().waitFor();
    await expectAccessible(page, "login-missing-phone");
  });
});

it("[SN11] does not offer a move to the machine where the session is, also before it ever started there", async () => {
  const session = new ScriptedSession(onLaptop);
  session.machines = [laptop, ownMachine("desk")];
  const { page } = await open(session);
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Move to another host…" }).click();
  await page.getByText("The session is here now").waitFor();
  expect(await page.getByRole("radio", { name: /^Mara’s laptop/ }).isDisabled()).toBe(true);
  await page.getByRole("radio", { name: /^desk/ }).check();
  // Somebody else was faster: it is there when the answer comes.
  session.onFrame = ({ type }) => {
    const machineId = session.machines[1]?.machineId ?? null;
    if (type === "set_host") session.log({ type: "host_moved", from: "machine", to: "machine", machineId, author: MARA });
  };
  await page.getByRole("button", { name: "Move", exact: true }).click();
  await page.getByText("Moved: desk.", { exact: false }).waitFor();
});

describe("who may command a machine", () => {
  const phone = browserKey({ publicKey: "p".repeat(43), name: "Safari on iPhone" });

  it("[SG3] makes this browser's key, shows its fingerprint and how a computer gets to know it", async () => {
    const session = new ScriptedSession();
    session.machines = [laptop];
    session.browserKeys = [phone];
    const { page } = await open(session, { path: "/settings/machines" });
    const browsers = page.getByRole("region", { name: "Browsers that may give commands" });
    await browsers.getByText("This browser has no key yet.").waitFor();
    await expectAccessible(page, "browsers-none");
    await browsers.getByRole("button", { name: "Make a key" }).click();
    await browsers.getByText("this browser", { exact: true }).waitFor();
    const made = session.browserKeys[1];
    const fingerprint = fingerprintOf(made?.keyId ?? "");
    await browsers.getByText(`npx ${pages.url}/${servedProgram()} keys add ${fingerprint}`).waitFor();
    await browsers.getByText(fingerprintOf(phone.keyId), { exact: true }).waitFor();
    await expectAccessible(page, "browsers");
    // The key stays: it is found again, and is the same.
    await page.reload();
    await browsers.getByText(fingerprint, { exact: true }).waitFor();
  });

  it("[SG3] says before sending that this browser has no key; with one, signs what the owner allows in the session", async () => {
    const session = new ScriptedSession(onLaptop);
    session.machines = [laptop];
    session.browserKeys = [phone];
    session.host("ready");
    const { page } = await open(session);
    await page.getByText("this browser has no key yet", { exact: false }).waitFor();
    await expectAccessible(page, "no-key");
    await page.getByRole("link", { name: "Set up this browser" }).click();
    await page.getByRole("button", { name: "Make a key" }).click();
    await page.getByText("this browser", { exact: true }).waitFor();
    await page.goBack();
    await sessionShown(page);
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Who may use the machine…" }).click();
    await page.getByRole("button", { name: "Allow in this session" }).click();
    await session.until("machine_command");
    await page.getByText("Signed and sent.", { exact: false }).waitFor();
    await expectAccessible(page, "access");
    await page.getByRole("button", { name: "Listen to Safari on iPhone" }).click();
    await session.until("machine_command", 2);
    const [allow, listen] = session.sent("machine_command");
    expect(allow).toMatchObject({
      command: { kind: "allow_collaborators", allowed: true },
      signature: { machineId: laptop.machineId, keyId: session.browserKeys[1]?.keyId },
    });
    expect(listen).toMatchObject({ command: { kind: "pin_key", keyId: phone.keyId, publicKey: phone.publicKey } });
    expect(await page.getByText("this browser has no key yet", { exact: false }).count()).toBe(0);
  });

  it("tells a person who may drive that the machine is somebody else's", async () => {
    const session = new ScriptedSession(onLaptop);
    session.role = "driver";
    session.host("ready");
    const { page } = await open(session, { viewport: PHONE, isTouch: true });
    await page.getByText("This session runs on its owner’s own computer", { exact: false }).waitFor();
    await expectAccessible(page, "others-phone");
  });
});

describe("a new session", () => {
  it("begins with the Claude login of one's own machine, and says what that means", async () => {
    const session = new ScriptedSession();
    session.machines = [laptop];
    const { page, created } = await open(session, { path: "/new" });
    await page.getByLabel("Host", { exact: true }).selectOption({ label: "Mara’s laptop · online, 1 of 4 running" });
    await page.getByText("It counts on that plan and costs nothing here", { exact: false }).waitFor();
    await page.getByRole("textbox", { name: "Prompt" }).fill("Fix the race");
    await expectAccessible(page, "new-login");
    await page.getByRole("button", { name: "Start session" }).click();
    await page.waitForURL(/\/s\//);
    expect(created).toMatchObject([{ host: "machine", machineId: laptop.machineId, modelSource: "login", model: "default" }]);
    // What is not signed the machine does not take: the prompt goes from the session itself.
    expect(created[0]).not.toHaveProperty("prompt");
    await session.until("prompt");
    expect(session.sent("prompt")).toMatchObject([{ text: "Fix the race" }]);
  });

  it("is with the model alone where there is no computer", async () => {
    const session = new ScriptedSession();
    session.config = { sandbox: false };
    const { page, created } = await open(session, { path: "/new", viewport: PHONE, isTouch: true });
    await page.getByText("No computer: you talk to the model directly", { exact: false }).waitFor();
    await page.getByRole("textbox", { name: "Prompt" }).fill("What is a race?");
    await expectAccessible(page, "new-direct-phone");
    await page.getByRole("button", { name: "Start session" }).click();
    await page.waitForURL(/\/s\//);
    expect(created).toMatchObject([{ host: "direct", modelSource: "key" }]);
  });
});
