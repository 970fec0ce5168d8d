/**
 * A person's own computer beside the deployment's machine on the same loopback, in one run, rounds in turn:
 *   `connect` as a command → the server's welcome in its output, a fresh process each
 *   prompt in a viewer → first text in it, on the operator's machine and, signed and verified, on the person's own
 *   prompt in a viewer → the end of the turn in it, on each
 *   a file written by an editor → the viewer hears of it
 * The Worker is talked to on its own port. The difference between the two machines is what signing and pins cost.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fingerprintOf } from "@ai-dev-platform/protocol/signed-text";
import { serverDir } from "../agent/src/machine/server-dir.ts";
import { startModelServer } from "../scripts/demo-model/server.ts";
import { type Child, startChild } from "../scripts/start/child.ts";
import { root, toolEnvironment } from "../scripts/start/server.ts";
import { signUp } from "../tests/support/node/account.ts";
import { BrowserSigner } from "../tests/support/node/browser-signer.ts";
import { find, type Viewer } from "../tests/support/node/viewer.ts";
import { startDirectServer } from "./support/direct-server.ts";
import { median, show } from "./support/figures.ts";

const CONNECTS = Number(process.env["CONNECTS"] ?? 7);
const ROUNDS = Number(process.env["ROUNDS"] ?? 30);
const EDITS = Number(process.env["EDITS"] ?? 8);
const WARM_UP_ROUNDS = 3;
const PACE_MS = 12;
const POLL_MS = 2;
const REST_MS = 2_500;
const DEADLINE_MS = 30_000;
const API_KEY = "sk-ant-api03-bench-000000000000000000000000000000000000AA";

const model = await startModelServer({ port: 0, paceMs: PACE_MS });
const server = await startDirectServer({ ANTHROPIC_UPSTREAM: model.url });
const { url } = server;
const folder = mkdtempSync(path.join(os.tmpdir(), "adp-machine-"));
const data = path.join(folder, "data");
const browser = new BrowserSigner();
const mara = await signUp(url);
await mara.json("POST", "/api/keys", { apiKey: API_KEY });
const children: Child[] = [];
process.once("exit", () => children.forEach(({ process: child }) => child.kill("SIGKILL")));

function cli(...words: string[]): Child {
  const environment = { ...toolEnvironment(), AI_DEV_AGENT_DATA: data };
  const logFile = path.join(folder, "cli.log");
  const child = startChild(process.execPath, [path.join(root, "agent/src/main.ts"), ...words], { cwd: root, env: environment, logFile });
  children.push(child);
  return child;
}

async function says(child: Child, words: string | RegExp): Promise<string> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = new RegExp(words).exec(child.lastWords());
    if (found !== null) return found[0];
    if (Date.now() > deadline) throw new Error(`not said: ${words}; but: ${child.lastWords()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function signIn(): Promise<void> {
  const login = cli("login", "--server", url, "--device", "--pin", fingerprintOf(browser.keyId));
  const code = await says(login, "[B-Z]{4}-[B-Z]{4}");
  await mara.json("POST", "/api/connect", { which: { code }, approve: true, browserKey: browser.browserKey });
  if ((await login.exited) !== 0) throw new Error(login.lastWords());
}

async function measureConnect(): Promise<Child> {
  const times: number[] = [];
  for (let round = 0; ; round += 1) {
    const startedAt = performance.now();
    const connect = cli("connect", "--server", url, "--json");
    await says(connect, '"connected"');
    times.push(performance.now() - startedAt);
    if (round === CONNECTS) {
      show("connect, a fresh process → welcome", times.slice(1));
      return connect;
    }
    await connect.stop("SIGTERM");
  }
}

interface Bench {
  viewer: Viewer;
  first: number[];
  ends: number[];
}

async function open(machineId: string): Promise<{ bench: Bench; sessionId: string }> {
  const { sessionId } = await mara.createSession({ kind: "empty" }, { host: "machine", machineId });
  const viewer = browser.signing(sessionId, await mara.view(sessionId));
  return { bench: { viewer, first: [], ends: [] }, sessionId };
}

async function turn({ viewer, first, ends }: Bench, isCounted: boolean): Promise<void> {
  viewer.frames.length = 0;
  const from = performance.now();
  const promptId = viewer.prompt("SCENARIO=text-only go");
  await viewer.until("text", () => viewer.frames.some((frame) => frame.type === "live"));
  const firstMs = performance.now() - from;
  await viewer.until("the end", () => {
    const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
    return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
  });
  if (!isCounted) return;
  first.push(firstMs);
  ends.push(performance.now() - from);
}

async function measureEdits(viewer: Viewer, workspace: string): Promise<void> {
  const times: number[] = [];
  mkdirSync(workspace, { recursive: true });
  for (let round = 0; round < EDITS; round += 1) {
    const name = `edit-${round}.txt`;
    // The watch rests for two seconds after a look: a single save is what is measured.
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    const from = performance.now();
    writeFileSync(path.join(workspace, name), "one\n");
    await viewer.until(name, () => find(viewer, "files_changed", ({ files }) => files.some((file) => file.path === name)));
    times.push(performance.now() - from);
  }
  show("an editor writes a file → the viewer hears of it", times);
}

server.startMachine(url);
await signIn();
await measureConnect();
const { machines } = await mara.json<{ machines: { machineId: string; isOperator: boolean }[] }>("GET", "/api/machines");
const idOf = (isOperator: boolean): string => machines.find((machine) => machine.isOperator === isOperator)?.machineId ?? "";
const [lent, own] = [await open(idOf(true)), await open(idOf(false))];
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
  await turn(lent.bench, round >= 0);
  await turn(own.bench, round >= 0);
}
show("operator's machine: prompt → first text", lent.bench.first);
show("own machine, signed: prompt → first text", own.bench.first);
show("operator's machine: prompt → end of the turn", lent.bench.ends);
show("own machine, signed: prompt → end of the turn", own.bench.ends);
console.log(`added by the own machine at the median: ${(median(own.bench.first) - median(lent.bench.first)).toFixed(1)} ms`);
await measureEdits(own.bench.viewer, path.join(serverDir(data, url), "sessions", own.sessionId, "workspace"));
for (const child of children) await child.stop("SIGTERM");
await server.close();
await model.close();
rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
process.exit(0);
