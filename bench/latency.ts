/**
 * What the platform adds to the agent, with the real agent binary and a scripted model:
 *   cold, in fresh processes: prompt → first model request, by `claude -p`, by the bare Agent SDK, by a session from nothing
 *   warm, in one kept conversation each: prompt → first model request, and prompt in a viewer → first text in it
 * Rounds alternate between the peers. The Worker is talked to on its own port; `VIA=front` takes the port that `npm start`
 * shows, which has the development proxy of `wrangler dev` in front. PACE_MS: pause between two pieces of the
 * scripted answer; at 0 the whole answer comes in one millisecond, and its end competes with its beginning for the processor.
 */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { startModelServer } from "../scripts/demo-model/server.ts";
import { type Account, signUp } from "../tests/support/node/account.ts";
import { find, type Viewer } from "../tests/support/node/viewer.ts";
import { claudePrint, openConversation, type Peer, type TurnTimes } from "./support/bare-agent.ts";
import { startDirectServer } from "./support/direct-server.ts";
import { median, show } from "./support/figures.ts";

const COLD_ROUNDS = Number(process.env["COLD_ROUNDS"] ?? 5);
const WARM_ROUNDS = Number(process.env["WARM_ROUNDS"] ?? 40);
const PACE_MS = Number(process.env["PACE_MS"] ?? 12);
const WARM_UP_ROUNDS = 3;
const IS_DIRECT = process.env["VIA"] !== "front";
const PROMPT = "SCENARIO=text-only go";
const API_KEY = "sk-ant-api03-bench-000000000000000000000000000000000000AA";

const model = await startModelServer({ port: 0, paceMs: PACE_MS });
const server = await startDirectServer({ ANTHROPIC_UPSTREAM: model.url });
const url = IS_DIRECT ? server.url : server.proxiedUrl;
server.startMachine(url);
const peer: Peer = { modelUrl: model.url, apiKey: API_KEY, folder: mkdtempSync(path.join(os.tmpdir(), "adp-latency-")) };
const mara = await signUp(url);
await mara.json("POST", "/api/keys", { apiKey: API_KEY });

/** From the prompt to the first model request after it, both by `Date.now()`. */
function requestMs(startedAt: number): number {
  const first = model.requests().find((request) => request.at >= startedAt && request.path.startsWith("/v1/messages"));
  return first === undefined ? Number.NaN : first.at - startedAt;
}

/** One turn in a session, to the save that follows it, so that the next one begins from rest. */
async function sessionTurn(viewer: Viewer): Promise<TurnTimes> {
  viewer.frames.length = 0;
  const savesBefore = viewer.entries.filter(({ event }) => event.type === "snapshot_saved").length;
  const startedAt = Date.now();
  const from = performance.now();
  const promptId = viewer.prompt(PROMPT);
  await viewer.until("a delta", () => viewer.frames.some((frame) => frame.type === "live"));
  const firstDeltaMs = performance.now() - from;
  await viewer.until("the end", () => {
    const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
    return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
  });
  await viewer.until("a save", () => viewer.entries.filter(({ event }) => event.type === "snapshot_saved").length > savesBefore);
  return { startedAt, firstDeltaMs };
}

async function coldSession(account: Account): Promise<number> {
  const session = await account.createSession({ kind: "empty" });
  const viewer = await account.view(session.sessionId);
  const { startedAt } = await sessionTurn(viewer);
  const result = requestMs(startedAt);
  viewer.close();
  await account.request("DELETE", `/api/sessions/${session.sessionId}`);
  return result;
}

async function measureCold(): Promise<void> {
  const print: number[] = [];
  const bare: number[] = [];
  const own: number[] = [];
  for (let round = 0; round < COLD_ROUNDS; round += 1) {
    print.push(requestMs(await claudePrint(peer, PROMPT)));
    const conversation = openConversation(peer);
    bare.push(requestMs((await conversation.turn(PROMPT)).startedAt));
    conversation.close();
    own.push(await coldSession(mara));
  }
  show("cold: claude -p → first model request", print);
  show("cold: Agent SDK → first model request", bare);
  show("cold: session from nothing → first model request", own);
}

async function measureWarm(): Promise<void> {
  const session = await mara.createSession({ kind: "empty" });
  const viewer = await mara.view(session.sessionId);
  const conversation = openConversation(peer);
  const bare: { request: number; delta: number }[] = [];
  const own: typeof bare = [];
  const note = (times: TurnTimes) => ({ request: requestMs(times.startedAt), delta: times.firstDeltaMs });
  for (let round = -WARM_UP_ROUNDS; round < WARM_ROUNDS; round += 1) {
    const bareTurn = note(await conversation.turn(PROMPT));
    const ownTurn = note(await sessionTurn(viewer));
    if (round < 0) continue;
    bare.push(bareTurn);
    own.push(ownTurn);
  }
  conversation.close();
  viewer.close();
  await mara.request("DELETE", `/api/sessions/${session.sessionId}`);
  const of = (turns: typeof bare, name: "request" | "delta") => turns.map((turn) => turn[name]);
  show("warm: Agent SDK → first model request", of(bare, "request"));
  show("warm: session → first model request", of(own, "request"));
  show("warm: Agent SDK → first text", of(bare, "delta"));
  show("warm: prompt in a viewer → first text in it", of(own, "delta"));
  const added = median(of(own, "delta")) - median(of(bare, "delta"));
  console.log(`added by the platform at the median, warm: ${added.toFixed(1)} ms (aim: under 25)`);
}

console.log(IS_DIRECT ? "by the Worker's own port" : "by the port of npm start, through the development proxy");
if (COLD_ROUNDS > 0) await measureCold();
if (WARM_ROUNDS > 0) await measureWarm();
await server.close();
await model.close();
rmSync(peer.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
process.exit(0);
