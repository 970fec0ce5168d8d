/**
 * A machine under fire: bad Wi-Fi, a frozen computer, a copied data folder, and SIGKILL of the command line, the runner and
 * the server by a seeded schedule. Every prompt has one end or waits; none ran twice, none vanished; editors are seen.
 */
import { cpSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as moment } from "node:timers/promises";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import * as z from "zod";
import { type Child, startChild } from "../../scripts/start/child.ts";
import { root, toolEnvironment } from "../../scripts/start/server.ts";
import { type Account, signUp } from "../support/node/account.ts";
import { type CutProxy, startCutProxy } from "../support/node/cut-proxy.ts";
import { familyOf, randomFrom, runnersOf, sendSignal } from "../support/node/processes.ts";
import { startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";
import { find, type Viewer } from "../support/node/viewer.ts";
import { newId } from "../support/node/ids.ts";

vi.setConfig({ testTimeout: 120_000 });

const SEED = Number(process.env["FAULT_SEED"] ?? "7");
const STORM_MS = Number(process.env["STORM_MS"] ?? "12000");
const LONGEST_LULL_MS = 1_800;
const FLAP_MS = 2_000;
const FLAPS = 5;
const SAYS_MS = 15_000;
/** A request may be on its way when its turn ends. */
const LATE_MS = 2_000;

let platform: TestPlatform;
let mara: Account;
let proxy: CutProxy;
let machine: Child;
const children: Child[] = [];

beforeAll(async () => {
  platform = await startTestPlatform({ paceMs: 4, machine: false });
  proxy = await startCutProxy(Number(new URL(platform.url).port));
  mara = await signUp(platform.url);
  await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
  machine = startMachine("machine");
});
afterAll(async () => {
  for (const child of children) await child.stop("SIGTERM");
  await platform?.stop();
  await proxy?.close();
});

/** The command line behind the proxy. `stop()` of the platform ends the runners of the folder "machine". */
function startMachine(folder: string): Child {
  const words = ["connect", "--server", proxy.url, "--token-file", path.join(platform.dataDir, "machine-token"), "--name", folder];
  const child = startChild(
    process.execPath,
    [path.join(root, "agent/src/main.ts"), ...words, "--data", path.join(platform.dataDir, folder), "--json"],
    { cwd: root, env: toolEnvironment(), logFile: path.join(platform.dataDir, `${folder}.log`) },
  );
  children.push(child);
  return child;
}

async function says(child: Child, words: string): Promise<void> {
  const deadline = Date.now() + SAYS_MS;
  while (!child.lastWords().includes(words)) {
    if (Date.now() > deadline) throw new Error(`"${words}" is not in: ${child.lastWords()}`);
    await moment(20);
  }
}

const startOf = (viewer: Viewer, promptId: string) => find(viewer, "turn_started", (event) => event.promptId === promptId);
function endOf(viewer: Viewer, promptId: string) {
  const started = startOf(viewer, promptId);
  return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
}
const workspaceOf = (sessionId: string, folder = "machine") => path.join(platform.dataDir, folder, "sessions", sessionId, "workspace");

const bodySchema = z.object({ messages: z.array(z.object({ role: z.string(), content: z.unknown() })) });
/** When the model was asked to begin on this prompt: requests whose newest words of the person hold its mark. */
const asked = (mark: string): number[] =>
  platform.model.requests().flatMap(({ at, body, answer }) => {
    const parsed = bodySchema.safeParse(body);
    if (!parsed.success || !answer.endsWith("#0")) return [];
    const newest = parsed.data.messages.findLast(({ role, content }) => role === "user" && JSON.stringify(content).includes("mark-"));
    return newest !== undefined && JSON.stringify(newest.content).includes(`${mark} `) ? [at] : [];
  });

/** Each prompt queued once, started at most once, ended as often as started; nothing asked of the model after its end. */
function audit(viewer: Viewer, prompts: ReadonlyMap<string, string>): Record<string, number> {
  const outcomes: Record<string, number> = {};
  viewer.entries.forEach((entry, index) => expect(entry.seq).toBe((viewer.entries[0]?.seq ?? 1) + index));
  for (const [promptId, mark] of prompts) {
    const about = viewer.entries.filter(({ event }) => "promptId" in event && event.promptId === promptId);
    expect(about.filter(({ event }) => event.type === "prompt_queued").length, mark).toBe(1);
    expect(about.filter(({ event }) => event.type === "turn_started").length, mark).toBeLessThanOrEqual(1);
    const started = startOf(viewer, promptId);
    const ends = viewer.entries.filter(({ event }) => event.type === "turn_ended" && event.turnId === started?.event.turnId);
    expect(ends.length, mark).toBe(started === undefined ? 0 : 1);
    const [end] = ends;
    if (started === undefined) {
      expect(viewer.state().queue.map((waiting) => waiting.promptId)).toContain(promptId);
      expect(asked(mark), mark).toEqual([]);
    } else {
      expect(Math.min(...asked(mark), Infinity), mark).toBeGreaterThanOrEqual(started.at - LATE_MS);
      expect(Math.max(...asked(mark), 0), mark).toBeLessThanOrEqual((end?.at ?? 0) + LATE_MS);
    }
    const outcome = end?.event.type === "turn_ended" ? end.event.outcome : "waits";
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return outcomes;
}

it("[MA11, RN4] goes on through Wi-Fi that breaks every two seconds: each prompt once, in its turn", async () => {
  const { sessionId } = await mara.createSession({ kind: "empty" }, { host: "machine" });
  const viewer = await mara.view(sessionId);
  const prompts = new Map<string, string>();
  for (let n = 0; n < 5; n += 1) prompts.set(viewer.prompt(`SCENARIO=long-stream(200) mark-flap${n} `), `mark-flap${n}`);
  // On a busy computer no answer fits between two cuts: they come to an end.
  const flapping = setInterval(() => (proxy.cuts() < FLAPS ? proxy.cut(300) : clearInterval(flapping)), FLAP_MS);
  const last = [...prompts.keys()].at(-1) ?? "";
  try {
    await viewer.until("the last turn", () => endOf(viewer, last));
  } finally {
    clearInterval(flapping);
  }
  expect(proxy.cuts()).toBeGreaterThan(1);
  expect(audit(viewer, prompts)).toEqual({ completed: 5 });
  viewer.close();
});

it("[MA12] shows what a person's editor writes between turns, and what a turn wrote only once", async () => {
  const { sessionId } = await mara.createSession({ kind: "empty" }, { host: "machine" });
  const viewer = await mara.view(sessionId);
  const first = viewer.prompt("SCENARIO=text-only mark-edit ");
  await viewer.until("the turn", () => endOf(viewer, first));
  const shows = (name: string) =>
    viewer.until(name, () => find(viewer, "files_changed", ({ files }) => files.some((file) => file.path === name)));
  // The first may still be told with the turn.
  writeFileSync(path.join(workspaceOf(sessionId), "first.txt"), "one\n");
  await shows("first.txt");
  writeFileSync(path.join(workspaceOf(sessionId), "second.txt"), "one\ntwo\n");
  const seen = await shows("second.txt");
  expect(seen.turnId).toBeNull();
  expect(seen.event.files).toMatchObject([{ path: "first.txt" }, { path: "second.txt", status: "added", additions: 2 }]);
  // A frozen computer thaws in the same session; its runner is still the one.
  const runners = runnersOf(sessionId);
  const frozen = [machine.pid, ...runners];
  sendSignal(frozen, "SIGSTOP");
  const second = viewer.prompt("SCENARIO=text-only mark-thaw ");
  await moment(1_500);
  sendSignal(frozen, "SIGCONT");
  const end = await viewer.until("the turn after the thaw", () => endOf(viewer, second));
  expect(end.event.outcome).toBe("completed");
  expect(runnersOf(sessionId)).toEqual(runners);
  expect(viewer.entries.filter(({ event }) => event.type === "files_changed")).toHaveLength(2);
  viewer.close();
});

it("[MA8] stops the older of two machines with one data folder, tells both, and runs nothing twice", async () => {
  const { sessionId } = await mara.createSession({ kind: "empty" }, { host: "machine" });
  const viewer = await mara.view(sessionId);
  const promptId = viewer.prompt("SCENARIO=long-stream(20000) mark-clone ");
  await viewer.until("its text", () => viewer.frames.some((frame) => frame.type === "live"));
  const clone = path.join(platform.dataDir, "clone");
  cpSync(path.join(platform.dataDir, "machine"), clone, { recursive: true, filter: (name) => !name.endsWith("machine.lock") });
  const older = machine;
  machine = startMachine("clone");
  expect(await older.exited).toBe(1);
  expect(older.lastWords()).toContain("its data folder was copied");
  const end = await viewer.until("the turn's end", () => endOf(viewer, promptId));
  expect(end.event.outcome).toBe("interrupted");
  await says(machine, "other_replaced");
  const next = viewer.prompt("SCENARIO=text-only mark-after ");
  await viewer.until("the next turn", () => endOf(viewer, next));
  const prompts = new Map([
    [promptId, "mark-clone"],
    [next, "mark-after"],
  ]);
  const outcomes = audit(viewer, prompts);
  expect(outcomes).toEqual({ interrupted: 1, completed: 1 });
  viewer.close();
  // The original goes on alone.
  await machine.stop("SIGTERM");
  sendSignal(runnersOf(sessionId).flatMap(familyOf));
  rmSync(clone, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  machine = startMachine("machine");
});

/** A viewer that comes back after the server, and says again what was not acknowledged, as the web app does. */
class Driver {
  readonly prompts = new Map<string, string>();
  viewer: Viewer;
  readonly #sessionId: string;
  readonly #texts = new Map<string, string>();

  constructor(sessionId: string, viewer: Viewer) {
    this.#sessionId = sessionId;
    this.viewer = viewer;
  }

  ask(): void {
    const promptId = newId("prompt");
    const mark = `mark-storm${this.prompts.size}`;
    this.prompts.set(promptId, mark);
    this.#texts.set(promptId, `SCENARIO=long-stream(200) ${mark} `);
    this.#send(promptId);
  }

  async comeBack(): Promise<void> {
    const { entries } = this.viewer;
    this.viewer.close();
    this.viewer = await mara.view(this.#sessionId, { afterSeq: entries.at(-1)?.seq ?? null, entries: [...entries] });
    for (const promptId of this.prompts.keys())
      if (find(this.viewer, "prompt_queued", (event) => event.promptId === promptId) === undefined) this.#send(promptId);
  }

  #send(promptId: string): void {
    this.viewer.send({ type: "prompt", promptId, text: this.#texts.get(promptId) ?? "", delivery: "queue" });
  }
}

it("[TU2, PR2, MA3] loses no prompt and runs none twice under SIGKILL of command line, runner and server", async () => {
  const { sessionId } = await mara.createSession({ kind: "empty" }, { host: "machine" });
  const driver = new Driver(sessionId, await mara.view(sessionId));
  const random = randomFrom(SEED);
  const killed: string[] = [];
  const until = Date.now() + STORM_MS;
  while (Date.now() < until) {
    if (driver.viewer.state().queue.length < 2) driver.ask();
    await moment(200 + random(LONGEST_LULL_MS));
    const who = (["runner", "machine", "runner", "server"] as const)[random(4)] ?? "runner";
    killed.push(who);
    if (who === "runner") sendSignal(runnersOf(sessionId));
    if (who === "machine") {
      sendSignal([machine.pid]);
      machine = startMachine("machine");
    }
    if (who === "server") {
      sendSignal(familyOf(platform.server.pid));
      await driver.viewer.closed;
      await platform.restartServer();
    }
    await driver.comeBack();
  }
  driver.ask();
  const last = [...driver.prompts.keys()].at(-1) ?? "";
  const { viewer } = driver;
  let startedFrom = 0;
  await viewer.until(`the end, after ${killed.join(", ")}`, () => {
    const { host, queue, turn, seq } = viewer.state();
    // What broke a start may break the next: then the queue waits for a person, who says "start".
    const isHeld = host.state === "failed" || host.state === "lost" || host.state === "asleep";
    if (isHeld && queue.length > 0 && turn === null && seq > startedFrom) {
      startedFrom = seq;
      viewer.send({ type: "warm" });
    }
    return endOf(viewer, last);
  });
  const outcomes = audit(viewer, driver.prompts);
  expect(outcomes["completed"], `${killed.join(", ")}: ${JSON.stringify(outcomes)}`).toBeGreaterThan(0);
  expect(outcomes["waits"]).toBeUndefined();
  viewer.close();
});
