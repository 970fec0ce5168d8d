/** Saved states on the screen: what is durable, the timeline, files while asleep, moves, uploads, storage, the account's end. */
import { readFileSync } from "node:fs";
import { MAX_SNAPSHOT_CHANGES } from "@ai-dev-platform/protocol/limits";
import type { Query, QueryResult, SnapshotChange, TimelineEntry } from "@ai-dev-platform/protocol/queries";
import type { Browser, Page } from "@playwright/test";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { accessibilityViolations, openBrowser, PHONE, screenshot } from "../support/node/browser.ts";
import { newId } from "../support/node/ids.ts";
import { MARA, openScreen, ownMachine, type Pages, ScriptedSession, servePages, sessionShown } from "./scripted-session.ts";

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

/** Light and dark: every state has to be readable in both, and to look right. */
async function expectAccessible(page: Page, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForFunction((theme) => document.documentElement.dataset["theme"] === theme, colorScheme);
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    await page.waitForFunction(() => document.getAnimations().every((animation) => !(animation instanceof CSSTransition)));
    await screenshot(page, `snapshots-${name}-${colorScheme}`);
    expect(await accessibilityViolations(page), `${name} ${colorScheme}`).toEqual([]);
  }
}

const MB = 1_048_576;

/** A session with so many saved states, newest first. */
class SavedSession extends ScriptedSession {
  readonly states: TimelineEntry[] = [];
  files: SnapshotChange[] = [
    { path: "src/session/replay.ts", status: "modified", bytesBefore: 4_100, bytesAfter: 5_300 },
    { path: "test/reconnect.test.ts", status: "added", bytesBefore: null, bytesAfter: 2_048 },
    { path: "docs/a-folder-with-a-long-name/and-another-one/old-notes.md", status: "deleted", bytesBefore: 900, bytesAfter: null },
  ];

  constructor(count = 4, created: ConstructorParameters<typeof ScriptedSession>[0] = {}) {
    super(created);
    for (let n = 1; n <= count; n++) this.save(n);
    this.onQuery = (query) => this.#answer(query);
  }

  save(n = this.states.length + 1): void {
    const snapshotId = newId("snapshot");
    const throughSeq = this.state.seq;
    const sizes = { treeFiles: 120 + n, storedBytes: 12_000 * n };
    const leftOut = [
      { path: "node_modules", reason: "dependencies" as const },
      { path: "packages/relay/node_modules", reason: "dependencies" as const },
      { path: "assets/recording-of-the-whole-meeting.mov", reason: "too_large" as const },
      { path: ".cache", reason: "cache" as const },
    ];
    this.log({ type: "snapshot_saved", snapshotId, throughSeq, ...sizes, leftOut });
    for (const state of this.states) state.isHead = false;
    this.states.unshift({
      snapshotId,
      seq: this.state.seq,
      at: Date.now() - 60_000,
      throughSeq,
      ...sizes,
      treeBytes: 4 * MB + n,
      label: n === 1 ? "" : `Fix the reconnect race, part ${n}, and tell me what you did`,
      isHead: true,
      leftOut: leftOut.length,
      dependencyBytes: 98 * MB,
    });
  }

  #answer(query: Query): QueryResult | undefined {
    const head = this.states[0];
    const asOf = head && { snapshotId: head.snapshotId, throughSeq: head.throughSeq, at: head.at };
    switch (query.kind) {
      case "timeline": {
        const rest = this.states.filter(({ seq }) => query.beforeSeq === null || seq < query.beforeSeq);
        return { kind: "timeline", entries: rest.slice(0, 3), hasMore: rest.length > 3 };
      }
      case "snapshot_changes": {
        const at = this.states.findIndex(({ snapshotId }) => snapshotId === query.toId);
        const fromId = query.fromId ?? this.states[at + 1]?.snapshotId ?? null;
        return {
          kind: "snapshot_changes",
          fromId,
          toId: query.toId,
          files: this.files,
          truncated: this.files.length >= MAX_SNAPSHOT_CHANGES,
        };
      }
      case "snapshot_patch":
        return { kind: "snapshot_patch", path: query.path, patch: PATCH, truncated: false };
      case "tree": {
        const entry = { bytes: 10, ignored: false };
        const entries =
          query.path === ""
            ? [
                { ...entry, name: "src", kind: "folder" as const },
                { ...entry, name: "README.md", kind: "file" as const },
              ]
            : [{ ...entry, name: "replay.ts", kind: "file" as const }];
        return { kind: "tree", path: query.path, truncated: false, entries, ...(asOf && { asOf }) };
      }
      case "file":
        return { kind: "file", path: query.path, bytes: 14, text: "# Relay\n\nHello\n", truncated: false, ...(asOf && { asOf }) };
      case "find":
        return { kind: "find", paths: ["src/replay.ts"], ...(asOf && { asOf }) };
      default:
        return undefined;
    }
  }
}

const PATCH = `--- a/src/session/replay.ts
+++ b/src/session/replay.ts
@@ -40,3 +40,4 @@
 async attach(ws, since) {
-  this.clients.add(ws);
+  const head = await this.replay(ws, since);
+  this.clients.add(ws);
 }
`;

const timeline = (session: ScriptedSession) => `/s/${session.sessionId}?panel=timeline`;

describe("the truth about saving", () => {
  it("says through which step, in which snapshot, how much, and what was left out", async () => {
    const session = new SavedSession();
    session.host("ready");
    const page = await open(session, { onApi: storedBytes(session) });
    await page.getByRole("button", { name: /^Saved · step/ }).click();
    await page.getByText(/^Durable through step/).waitFor();
    await page.getByText("The session keeps 4.2 MB in all.", { exact: false }).waitFor();
    await page.getByText("of installed dependencies are saved apart and come back by themselves.", { exact: false }).waitFor();
    await page.getByText("2 things were left out:").waitFor();
    await page.getByText("Too large to save").waitFor();
    await expectAccessible(page, "saved");
    await page.getByRole("button", { name: "Save now" }).click();
    await session.until("save");
  });

  it("[SN12] says that the storage is full, and leads to it", async () => {
    const session = new SavedSession();
    session.host("ready");
    session.log({
      type: "snapshot_failed",
      problem: { code: "quota_exceeded", message: "Your storage is full, so this was not saved.", detail: "10 GB of 10 GB are used." },
    });
    const page = await open(session, { viewport: PHONE, isTouch: true });
    await page.getByRole("button", { name: "Not saved" }).click();
    await page.getByRole("dialog").getByText("10 GB of 10 GB are used.").waitFor();
    await expectAccessible(page, "quota-phone");
    await page.getByRole("link", { name: "Open Settings, Storage" }).click();
    await page.getByRole("heading", { name: "Storage" }).waitFor();
  });
});

const storedBytes =
  (session: ScriptedSession): NonNullable<NonNullable<Parameters<typeof openScreen>[3]>["onApi"]> =>
  (route, pathname) => {
    if (pathname !== `/api/sessions/${session.sessionId}`) return false;
    void route.fulfill({ json: { sessionId: session.sessionId, storedBytes: 4_200_000 } });
    return true;
  };

describe("the timeline", () => {
  it("shows what changed in a state, line by line, with the keyboard alone", async () => {
    const session = new SavedSession();
    session.host("asleep");
    const page = await open(session, { path: timeline(session) });
    const states = page.getByRole("list", { name: "Saved states, newest first" });
    await states.getByRole("button", { name: /^Step .*part 3/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("1 added, 1 changed, 1 deleted · 2.3 KB more").waitFor();
    await page
      .getByText("98 MB", { exact: false })
      .or(page.getByText("102.8 MB", { exact: false }))
      .first()
      .waitFor();
    await page.getByRole("button", { name: /^changed: .*replay\.ts/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("const head = await this.replay(ws, since);").waitFor();
    await expectAccessible(page, "timeline");
    expect(session.sent("query").map(({ query }) => query.kind)).toContain("snapshot_patch");
    expect(session.sent("warm")).toHaveLength(1);
  });

  it("compares any two states, from the older to the newer", async () => {
    const session = new SavedSession();
    const page = await open(session, { path: timeline(session), viewport: PHONE, isTouch: true });
    const [newest, middle, oldest] = session.states;
    await page.getByRole("button", { name: /^Step .*part 3/ }).click();
    await page.getByLabel("Compare with").selectOption(newest?.snapshotId ?? "");
    await page.getByText(/^From step \d+ to step \d+$/).waitFor();
    await page.getByLabel("Compare with").selectOption(oldest?.snapshotId ?? "");
    await session.until("query", 4);
    const asked = session.sent("query").flatMap(({ query }) => (query.kind === "snapshot_changes" ? [[query.fromId, query.toId]] : []));
    expect(asked).toEqual([
      [null, middle?.snapshotId],
      [middle?.snapshotId, newest?.snapshotId],
      [oldest?.snapshotId, middle?.snapshotId],
    ]);
    await expectAccessible(page, "compare-phone");
  });

  it("[SN15] goes back with everything, or with the files alone", async () => {
    const session = new SavedSession();
    session.host("ready");
    const page = await open(session, { path: timeline(session) });
    const target = session.states[1];
    const back = page.getByRole("button", { name: `Go back to step ${target?.throughSeq}…` });
    await back.click();
    await page.getByRole("radio", { name: /^Files only/ }).check();
    await expectAccessible(page, "back");
    session.refusal = (frame) => (frame.type === "rewind" ? { code: "turn_running" } : null);
    await page.getByRole("button", { name: "Go back", exact: true }).click();
    await page.getByRole("alert").getByText("An agent is at work.", { exact: false }).waitFor();
    session.refusal = null;
    await page.getByRole("button", { name: "Go back", exact: true }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(session.sent("rewind")).toMatchObject([{ scope: "files" }, { scope: "files", snapshotId: target?.snapshotId }]);
    await page.waitForFunction(
      (label) => document.activeElement?.getAttribute("aria-label") === label,
      `Go back to step ${target?.throughSeq}…`,
    );
    const snapshotId = newId("snapshot");
    const rewound = { type: "rewound" as const, snapshotId, toSnapshotId: target?.snapshotId ?? "", toSeq: 3, treeFiles: 1, author: MARA };
    session.log({ ...rewound, scope: "files" });
    await page.getByText("Mara went back to step 3 with the files alone.", { exact: false }).waitFor();
  });

  it("[SN10] offers plain links to download a state, with or without .git", async () => {
    const session = new SavedSession();
    const page = await open(session, { path: timeline(session) });
    const target = session.states[1];
    await page.getByRole("button", { name: /^Step .*part 3/ }).click();
    const base = `/api/sessions/${session.sessionId}/snapshots/${target?.snapshotId}/archive`;
    const zip = page.getByRole("link", { name: `Download step ${target?.throughSeq} as Zip` });
    expect(await zip.getAttribute("href")).toBe(`${base}?format=zip&git=0`);
    await page.getByRole("checkbox", { name: "With the .git folder" }).check();
    expect(await zip.getAttribute("href")).toBe(`${base}?format=zip&git=1`);
    const tar = page.getByRole("link", { name: `Download step ${target?.throughSeq} as Tar` });
    expect(await tar.getAttribute("href")).toBe(`${base}?format=tar&git=1`);
  });

  it("pages through many states, and lists many files in parts", async () => {
    const session = new SavedSession(8);
    session.files = Array.from({ length: MAX_SNAPSHOT_CHANGES }, (_, n) => ({
      path: `src/generated/file-${n}.ts`,
      status: "added" as const,
      bytesBefore: null,
      bytesAfter: 100,
    }));
    const page = await open(session, { path: timeline(session), viewport: PHONE, isTouch: true });
    const steps = page.getByRole("list", { name: "Saved states, newest first" }).getByRole("button", { name: /^Step/ });
    await steps.nth(2).waitFor();
    await page.getByRole("button", { name: "Older states" }).click();
    await steps.nth(5).waitFor();
    await page.getByRole("button", { name: "Older states" }).click();
    await steps.nth(7).waitFor();
    expect(await page.getByRole("button", { name: "Older states" }).count()).toBe(0);
    await steps.first().click();
    await page.getByText("1,000 added", { exact: false }).waitFor();
    await page.getByText("Only the first 1,000 files are listed.").waitFor();
    await expectAccessible(page, "many-phone");
    await page.getByRole("button", { name: "Show 950 more files" }).click();
    await page.getByText("file-999.ts").waitFor();
  });

  it("keeps going back, forks and downloads from those who may only look", async () => {
    const session = new SavedSession();
    session.role = "viewer";
    const page = await open(session, { path: timeline(session) });
    await page.getByRole("button", { name: /^Step .*part 3/ }).click();
    await page.getByText("1 added, 1 changed, 1 deleted", { exact: false }).waitFor();
    expect(await page.getByRole("button", { name: /^(Go back|Fork)/ }).count()).toBe(0);
    expect(await page.getByRole("link", { name: /^Download/ }).count()).toBe(0);
  });
});

describe("files while asleep", () => {
  it("[SN10] are read from the saved state, which the screen says", async () => {
    const session = new SavedSession();
    session.host("asleep");
    const page = await open(session, { path: `/s/${session.sessionId}?panel=files`, viewport: PHONE, isTouch: true });
    await page.getByText(/^As of step \d+, saved$/).waitFor();
    await page.getByText("The session is asleep.", { exact: false }).waitFor();
    await page.getByRole("treeitem", { name: "README.md" }).waitFor();
    await expectAccessible(page, "asleep-phone");
    await page.getByLabel("Find a file").fill("replay");
    await page.getByRole("button", { name: /replay\.ts$/ }).waitFor();
    await page.getByLabel("Find a file").fill("");
    await page.getByRole("treeitem", { name: "README.md" }).click();
    await page.getByText("Hello").first().waitFor();
    const link = page.getByRole("link", { name: "Download" });
    expect(await link.getAttribute("href")).toBe(
      `/api/sessions/${session.sessionId}/snapshots/${session.states[0]?.snapshotId}/file?path=README.md`,
    );
    await expectAccessible(page, "asleep-file-phone");
    const before = session.sent("warm").length;
    await page.getByRole("button", { name: "Start", exact: true }).last().click();
    await session.until("warm", before + 1);
  });

  it("saves a shown file as it is in a running workspace", async () => {
    const session = new SavedSession();
    session.host("ready");
    session.onQuery = (query) =>
      query.kind === "file" ? { kind: "file", path: query.path, bytes: 3, text: "now", truncated: false } : undefined;
    const page = await open(session, { path: `/s/${session.sessionId}?panel=files&file=src%2Fa.ts` });
    const started = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download" }).click();
    const download = await started;
    expect(download.suggestedFilename()).toBe("a.ts");
    expect(readFileSync((await download.path()) ?? "", "utf8")).toBe("now");
  });
});

describe("moving", () => {
  const machine = ownMachine("Laptop", { running: 1, state: "busy" });
  const machines: NonNullable<NonNullable<Parameters<typeof openScreen>[3]>["onApi"]> = (route, pathname) => {
    if (pathname !== "/api/machines") return false;
    const idle = ownMachine("Old desktop in the office", { state: "offline" });
    void route.fulfill({ json: { machines: [machine, idle] } });
    return true;
  };

  it("[SN11] says what travels, shows a refusal, and follows the move to its end", async () => {
    const session = new SavedSession();
    session.host("ready");
    const page = await open(session, { onApi: machines });
    await page.getByRole("button", { name: /^How the session lives/ }).click();
    await page.getByRole("menuitem", { name: "Move to another host…" }).click();
    await page.getByText("Files and conversation travel as they are saved", { exact: false }).waitFor();
    await page.getByRole("radio", { name: /^Laptop/ }).check();
    expect(await page.getByRole("radio", { name: /^Old desktop/ }).isDisabled()).toBe(true);
    await expectAccessible(page, "move");
    session.refusal = (frame) => (frame.type === "set_host" ? { code: "move_refused", detail: "That machine is gone." } : null);
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByRole("alert").getByText("That machine is gone.").waitFor();
    await expectAccessible(page, "move-refused");
    session.refusal = null;
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByText("Saving here.", { exact: false }).waitFor();
    expect(session.sent("set_host").at(-1)).toMatchObject({ host: "machine", machineId: machine.machineId });
    session.host("asleep");
    session.log({ type: "host_moved", from: "sandbox", to: "machine", machineId: machine.machineId, author: MARA });
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByText("Moved: Laptop. A prompt starts it there.").waitFor();
    await page.getByText("Mara moved the session to a machine.", { exact: false }).waitFor();
  });

  it("[SN11] says why it cannot move now, on the phone", async () => {
    const session = new SavedSession();
    session.host("ready");
    session.turn("Fix the race");
    const page = await open(session, { viewport: PHONE, isTouch: true, onApi: machines });
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Move to another host…" }).click();
    await page.getByText("A turn is running.", { exact: false }).waitFor();
    expect(await page.getByRole("button", { name: "Move", exact: true }).isDisabled()).toBe(true);
    await expectAccessible(page, "move-busy-phone");
  });

  it("[SN11] tells of a move that failed on the way", async () => {
    const session = new SavedSession();
    session.host("ready");
    const page = await open(session, { onApi: machines });
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Move to another host…" }).click();
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByText("Saving here.", { exact: false }).waitFor();
    const problem = { code: "move_refused", message: "This session cannot move there now.", detail: "It was not saved." };
    session.log({ type: "host_move_failed", to: "machine", machineId: null, problem, author: MARA });
    const alert = page.getByRole("alert");
    await alert.getByText("The session was not moved. Nothing is lost.").waitFor();
    await alert.getByText("It was not saved.").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("log").getByText("The session was not moved. Nothing is lost.").waitFor();
  });
});

it("[SN9] says that dependencies are on their way back, and holds nobody up", async () => {
  const session = new SavedSession();
  session.host("waking", 2);
  const page = await open(session);
  await page.getByRole("button", { name: /^Waking/ }).click();
  session.tell({ type: "progress", step: "dependencies", detail: "12 of 98 MB", startedAt: Date.now() });
  await page.getByText("Bring the dependencies back").waitFor();
  await expectAccessible(page, "start-steps");
  await page.keyboard.press("Escape");
  session.host("ready", 2);
  session.tell({ type: "progress", step: "dependencies", detail: "40 of 98 MB", startedAt: Date.now() });
  await page.getByText("Dependencies are coming back (40 of 98 MB). You can go on meanwhile.").waitFor();
  await page.getByRole("textbox", { name: "Prompt" }).fill("go on");
  await expectAccessible(page, "dependencies");
  session.save();
  await page.getByText("Dependencies are coming back", { exact: false }).waitFor({ state: "detached" });
});

describe("a project from an archive", () => {
  const archive = (name: string) => ({ name, mimeType: "application/zip", buffer: Buffer.alloc(2 * MB, 7) });

  it("[SN14] uploads, fails in words, tries again without another choice, and starts", async () => {
    const session = new ScriptedSession();
    session.host("ready");
    const importId = newId("import");
    let tries = 0;
    const made: unknown[] = [];
    const { page, complaints: told } = await openScreen(browser, pages, session, {
      path: "/new?project=new",
      viewport: PHONE,
      isTouch: true,
      onApi: (route, pathname) => {
        const request = route.request();
        if (pathname === "/api/projects" && request.method() === "POST") {
          made.push(request.postDataJSON());
          void route.fulfill({ status: 201, json: { projectId: session.projectId, name: "relay", source: { kind: "empty" } } });
          return true;
        }
        if (pathname !== "/api/imports") return false;
        tries += 1;
        const error = { code: "quota_exceeded", message: "Your storage is full.", retryable: false };
        void route.fulfill(
          tries === 1
            ? { status: 507, json: { error } }
            : { status: 201, json: { importId, format: "zip", bytes: 2 * MB, expiresAt: Date.now() + 3_600_000 } },
        );
        return true;
      },
    });
    await page.getByRole("textbox", { name: "Prompt" }).fill("Look around");
    await page.getByRole("radio", { name: "Zip or tar" }).check();
    await page.getByRole("button", { name: "Start session" }).click();
    await page.getByText("Choose a zip or tar, and wait until it is uploaded.").waitFor();
    await expectAccessible(page, "upload-phone");
    const choose = async (name: string) => {
      const chooser = page.waitForEvent("filechooser");
      await page.getByRole("button", { name: "Choose a file" }).click();
      await (await chooser).setFiles(archive(name));
    };
    await choose("relay.rar");
    await page.getByText("Choose a .zip, .tar, .tar.gz or .tgz file.").waitFor();
    await choose("relay.zip");
    await page.getByText("Your storage is full.").waitFor();
    await expectAccessible(page, "upload-failed-phone");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText(/^Uploaded · /).waitFor();
    await expectAccessible(page, "uploaded-phone");
    await page.reload();
    await page.getByText(/^Uploaded · /).waitFor();
    await page.getByRole("button", { name: "Start session" }).click();
    await sessionShown(page);
    expect(made).toMatchObject([{ source: { kind: "archive", importId, format: "zip", name: "relay.zip" } }]);
    expect(told).toEqual([]);
  });

  it("takes a dropped file, shows how far it is, and lets go of it", async () => {
    const session = new ScriptedSession();
    const page = await open(session, {
      path: "/new?project=new",
      // Never answered: it goes on until it is cancelled.
      onApi: (_route, pathname) => pathname === "/api/imports",
    });
    await page.getByRole("radio", { name: "Zip or tar" }).check();
    await page.getByRole("button", { name: "Choose a file" }).evaluate((button) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(2_000_000)], "dropped.tar.gz"));
      button.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
    });
    await page.getByRole("progressbar", { name: "Uploading dropped.tar.gz" }).waitFor();
    await expectAccessible(page, "uploading");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Choose a file" }).waitFor();
  });
});

describe("settings", () => {
  const stored = (n: number) => ({
    sessionId: newId("session"),
    title: n === 1 ? "A session with a rather long title that does not fit into one line of a phone" : `Session ${n}`,
    projectName: "acme/relay",
    storedBytes: Math.round((4 * 1_000_000_000) / n),
    savedAt: n === 3 ? null : Date.now() - n * 3_600_000,
  });

  it("[SN12] show what is used of the storage, and make room", async () => {
    let sessions = [stored(1), stored(2), stored(3)];
    const removed: string[] = [];
    const page = await open(new ScriptedSession(), {
      path: "/settings/storage",
      viewport: PHONE,
      isTouch: true,
      onApi: (route, pathname) => {
        if (pathname === "/api/storage") {
          const usedBytes = sessions.reduce((sum, { storedBytes }) => sum + storedBytes, 2_300_000_000);
          void route.fulfill({ json: { usedBytes, quotaBytes: 10_000_000_000, sessions } });
          return true;
        }
        if (route.request().method() !== "DELETE") return false;
        removed.push(pathname);
        sessions = sessions.slice(1);
        void route.fulfill({ status: 204 });
        return true;
      },
    });
    const meter = page.getByRole("meter", { name: "Storage used" });
    expect(await meter.getAttribute("aria-valuetext")).toBe("9.6 GB of 10 GB used, 96%");
    await page.getByText("Storage is nearly full.", { exact: false }).waitFor();
    await expectAccessible(page, "storage-phone");
    const [largest] = sessions;
    await page.getByRole("button", { name: `Delete ${largest?.title}…` }).click();
    await page.getByText("It frees up to 4 GB", { exact: false }).waitFor();
    await expectAccessible(page, "storage-delete-phone");
    await page.getByRole("button", { name: "Delete the session" }).click();
    await page.getByText("5.6 GB of 10 GB used").waitFor();
    expect(removed).toEqual([`/api/sessions/${largest?.sessionId}`]);
  });

  it("delete the account after the password, and end signed out", async () => {
    const sent: unknown[] = [];
    let isGone = false;
    const page = await open(new ScriptedSession(), {
      path: "/settings/account",
      onApi: (route, pathname) => {
        if (pathname !== "/api/me") return false;
        if (route.request().method() === "DELETE") {
          const body: unknown = route.request().postDataJSON();
          sent.push(body);
          isGone = sent.length > 1;
          const error = { code: "bad_credentials", message: "The e-mail or the password is wrong.", retryable: false };
          void route.fulfill(isGone ? { status: 204 } : { status: 401, json: { error } });
          return true;
        }
        if (!isGone) return false;
        void route.fulfill({ status: 401, json: { error: { code: "not_signed_in", message: "Sign in first.", retryable: false } } });
        return true;
      },
    });
    await page.getByRole("button", { name: "Delete account…" }).click();
    const confirm = page.getByRole("button", { name: "Delete account and everything in it" });
    await confirm.click();
    await page.getByText("Enter your password to confirm.").waitFor();
    await page.getByLabel("Your password").fill("wrong horse");
    await confirm.click();
    await page.getByText("The password is wrong.").waitFor();
    await expectAccessible(page, "account-delete");
    await page.getByLabel("Your password").fill("correct horse battery");
    await confirm.click();
    await page.getByText("Your account and everything in it was deleted.").waitFor();
    await expectAccessible(page, "account-deleted");
    expect(sent).toEqual([{ password: "wrong horse" }, { password: "correct horse battery" }]);
  });
});
