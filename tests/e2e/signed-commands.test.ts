/**
 * A person's own machine takes commands from their browser alone: a real Chromium makes its key, hands it to the command line past
 * the server, signs a prompt and an approval; what anybody else puts into the session is refused, and written down on the machine.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Browser, Page } from "@playwright/test";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TicketBody } from "@ai-dev-platform/protocol/http";
import { BrowserSigner } from "../support/node/browser-signer.ts";
import { DESKTOP, openBrowser, openPage } from "../support/node/browser.ts";
import { newId } from "../support/node/ids.ts";
import { startTestPlatform, type TestPlatform } from "../support/node/test-platform.ts";
import { find, openViewer, type Viewer } from "../support/node/viewer.ts";

const MAIN = path.join(import.meta.dirname, "../../agent/src/main.ts");

let platform: TestPlatform;
let chromium: Browser;
let home: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  platform = await startTestPlatform({ machine: false, demo: true });
  chromium = await openBrowser();
  home = realpathSync(mkdtempSync(path.join(os.tmpdir(), "adp-signed-")));
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await chromium?.close();
  await platform?.stop();
  rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

function agent(...words: string[]): { said(pattern: RegExp): Promise<string>; exitCode: Promise<number> } {
  const child = spawn(process.execPath, [MAIN, ...words], { env: { PATH: process.env["PATH"], HOME: home, BROWSER: "true" } });
  children.push(child);
  let text = "";
  let changed = Promise.withResolvers<void>();
  const hear = (chunk: Buffer): void => {
    text += chunk.toString();
    changed.resolve();
    changed = Promise.withResolvers();
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const exitCode = once(child, "close").then(([code]) => Number(code));
  const said = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = pattern.exec(text)?.[0];
      if (found !== undefined) return found;
      await changed.promise;
    }
  };
  return { said, exitCode };
}

async function signUpIn(page: Page): Promise<void> {
  await page
    .getByRole("button", { name: /create an account/i })
    .first()
    .click();
  await page.getByLabel("Name").fill("Mara");
  await page.getByLabel("E-mail").fill("mara@example.test");
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
  await page.getByRole("button", { name: "Create account" }).click();
}

/** The person's own session, seen past the page: what the server could put into it. */
async function behindThePage(page: Page, sessionId: string): Promise<Viewer> {
  const ticket = await page.evaluate(async (id) => {
    const response = await fetch(`/api/sessions/${id}/ticket`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    const body: TicketBody = await response.json();
    return body.ticket;
  }, sessionId);
  return openViewer(new URL(page.url()).origin, sessionId, ticket);
}

const ended = (viewer: Viewer, promptId: string) => {
  const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
  return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId)?.event;
};

it("[SG3, SG5] signs in the browser what the machine does, and nothing else is done", { timeout: 240_000 }, async () => {
  const { page, complaints } = await openPage(chromium, { viewport: DESKTOP });
  const login = agent("login", "--server", platform.url, "--name", "Desk");
  await page.goto(await login.said(/http:\/\/\S+\/connect\?login=\S+/));
  await signUpIn(page);
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("heading", { name: "Signed in" }).waitFor();
  await login.said(/does only what Chrome on Linux signs/);
  expect(await login.exitCode).toBe(0);

  const project = path.join(home, "project");
  mkdirSync(project);
  const connected = agent("connect", "--dir", project, "--trust");
  // At the address where the browser signed in: its key is that origin's own.
  const link = await connected.said(/http:\/\/\S+\/s\/ses_\w{26}/);
  const sessionId = link.slice(link.lastIndexOf("/") + 1);
  await connected.said(/Connected as/);
  await page.goto(link);
  const field = page.locator("textarea").first();
  await field.waitFor();
  const behind = await behindThePage(page, sessionId);
  await field.fill("SCENARIO=write-and-bash please");
  await field.press("Enter");
  const allow = page.getByRole("button", { name: /^Allow once/ });
  const first = await behind.until("the prompt", () => find(behind, "prompt_queued"));
  while (ended(behind, first.event.promptId) === undefined) {
    await Promise.race([allow.first().waitFor(), behind.until("the end", () => ended(behind, first.event.promptId))]);
    if (await allow.first().isVisible())
      await allow
        .first()
        .click({ timeout: 5_000 })
        .catch(() => undefined);
  }
  expect(ended(behind, first.event.promptId)).toMatchObject({ outcome: "completed" });
  expect(readFileSync(path.join(project, "hello.py"), "utf8")).toContain("hello");

  // What a server, or a thief of the session, could do: no key of the machine's signs it.
  const forged = behind.prompt("SCENARIO=write-and-bash again, unsigned");
  expect(await behind.until("the refusal", () => ended(behind, forged))).toMatchObject({
    outcome: "failed",
    problem: { code: "command_refused", detail: "It was not signed by a browser." },
  });
  const stranger = new BrowserSigner("Stranger").signing(sessionId, behind).prompt("SCENARIO=text-only");
  expect(await behind.until("the second refusal", () => ended(behind, stranger))).toMatchObject({ problem: { code: "command_refused" } });
  behind.send({ type: "set_mode", requestId: newId("request"), mode: "bypassPermissions" });
  await behind.until("the refused mode", () => find(behind, "notice", ({ text }) => text.includes("refused a change of the mode")));
  expect(find(behind, "text_written", ({ text }) => text.includes("unsigned"))).toBeUndefined();

  const folder = path.join(home, ".ai-dev-agent", "servers", `127.0.0.1_${new URL(platform.url).port}.http`);
  const audit = readFileSync(path.join(folder, "audit.jsonl"), "utf8");
  for (const reason of ["unsigned", "unknown_key"]) expect(audit).toContain(`"command":"prompt","reason":"${reason}"`);
  expect(audit).toContain(`"command":"answer"`);
  expect(existsSync(path.join(folder, "signing", "sessions", `${sessionId}.json`))).toBe(true);
  expect(complaints).toEqual([]);
  behind.close();
});
