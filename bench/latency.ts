/**
 * What the platform adds to the agent, in one interleaved run with the real agent binary and a scripted model:
 *   prompt → first model request: cold (`claude -p`, bare Agent SDK, our session from nothing) and warm (SDK, ours)
 *   prompt in a viewer → first delta in it, warm, minus the bare Agent SDK's (aim: under 25 ms at the median)
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { PassThrough } from "node:stream";
import { query, type SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { signUp } from "../tests/support/node/account.ts";
import { startTestPlatform, TEST_KEY } from "../tests/support/node/test-platform.ts";
import { find } from "../tests/support/node/viewer.ts";
import { median, show } from "./support/figures.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 9);
const PROMPT = "SCENARIO=text-only go";
const platform = await startTestPlatform();
const scratch = mkdtempSync(path.join(os.tmpdir(), "adp-latency-"));
const binary = path.resolve(
  import.meta.dirname,
  `../node_modules/@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}/claude`,
);

const agentEnvironment = (name: string) => ({
  PATH: process.env["PATH"] ?? "",
  HOME: scratch,
  CLAUDE_CONFIG_DIR: path.join(scratch, name),
  ANTHROPIC_BASE_URL: platform.model.url,
  ANTHROPIC_AUTH_TOKEN: TEST_KEY,
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST: "1",
  CLAUDE_CODE_STREAM_EVENT_HOLD_MS: "40",
});

/** Resolves at the next model request, by the clock of this process, which is also the scripted server's. */
const nextModelRequest = (from: number): Promise<number> =>
  new Promise((resolve) => {
    const known = platform.model.requests().length;
    const timer = setInterval(() => {
      const request = platform.model
        .requests()
        .slice(known)
        .find(({ path: where }) => where.startsWith("/v1/messages"));
      if (request === undefined) return;
      clearInterval(timer);
      resolve(request.at - from);
    }, 1);
  });

async function claudePrint(): Promise<number> {
  const from = Date.now();
  const request = nextModelRequest(from);
  const child = spawn(binary, ["-p", PROMPT], { cwd: scratch, env: agentEnvironment("print"), stdio: "ignore" });
  const result = await request;
  await new Promise((resolve) => child.on("exit", resolve));
  return result;
}

/** A bare Agent SDK conversation: the first prompt cold, the second warm. */
async function sdk(): Promise<{ cold: number; warmRequest: number; warmDelta: number }> {
  const prompts = new PassThrough({ objectMode: true });
  const message = (): SDKUserMessage => ({
    type: "user",
    message: { role: "user", content: PROMPT },
    parent_tool_use_id: null,
    session_id: "",
  });
  const stream = query({
    prompt: prompts as AsyncIterable<SDKUserMessage>,
    options: {
      cwd: scratch,
      env: agentEnvironment("sdk"),
      includePartialMessages: true,
      permissionMode: "default",
      systemPrompt: { type: "preset", preset: "claude_code" },
      settingSources: [],
    },
  });
  const from = Date.now();
  const coldRequest = nextModelRequest(from);
  prompts.write(message());
  let turn = 0;
  let cold = 0;
  let warmFrom = 0;
  let warmRequest: Promise<number> = Promise.resolve(0);
  let warmDelta = 0;
  for await (const event of stream) {
    if (turn === 1 && warmDelta === 0 && event.type === "stream_event" && event.event.type === "content_block_delta")
      warmDelta = performance.now() - warmFrom;
    if (event.type !== "result") continue;
    turn += 1;
    if (turn === 2) break;
    cold = await coldRequest;
    warmRequest = nextModelRequest(Date.now());
    warmFrom = performance.now();
    prompts.write(message());
  }
  prompts.end();
  stream.close();
  return { cold, warmRequest: await warmRequest, warmDelta };
}

const mara = await signUp(platform.url);
await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });

/** A session from nothing: its first prompt cold (workspace, runner and agent start), then a warm one. */
async function ours(): Promise<{ cold: number; warmRequest: number; warmDelta: number }> {
  const session = await mara.createSession({ kind: "empty" });
  const viewer = await mara.view(session.sessionId);
  const finish = (promptId: string) =>
    viewer.until("the end", () => {
      const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
      return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
    });
  const coldRequest = nextModelRequest(Date.now());
  await finish(viewer.prompt(PROMPT));
  const cold = await coldRequest;
  await viewer.until("a save", () => find(viewer, "snapshot_saved"));
  viewer.frames.length = 0;
  const request = nextModelRequest(Date.now());
  const from = performance.now();
  const promptId = viewer.prompt(PROMPT);
  await viewer.until("a delta", () => viewer.frames.some((frame) => frame.type === "live"));
  const warmDelta = performance.now() - from;
  const warmRequest = await request;
  await finish(promptId);
  viewer.close();
  await mara.request("DELETE", `/api/sessions/${session.sessionId}`);
  return { cold, warmRequest, warmDelta };
}

const print: number[] = [];
const bare: Awaited<ReturnType<typeof sdk>>[] = [];
const own: Awaited<ReturnType<typeof ours>>[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  print.push(await claudePrint());
  bare.push(await sdk());
  own.push(await ours());
}
show("cold: claude -p → first model request", print);
show(
  "cold: Agent SDK → first model request",
  bare.map(({ cold }) => cold),
);
show(
  "cold: session from nothing → first model request",
  own.map(({ cold }) => cold),
);
show(
  "warm: Agent SDK → first model request",
  bare.map(({ warmRequest }) => warmRequest),
);
show(
  "warm: session → first model request",
  own.map(({ warmRequest }) => warmRequest),
);
show(
  "warm: Agent SDK → first delta",
  bare.map(({ warmDelta }) => warmDelta),
);
show(
  "warm: prompt in a viewer → first delta in it",
  own.map(({ warmDelta }) => warmDelta),
);
console.log(
  `added by the platform at the median, warm: ${(median(own.map(({ warmDelta }) => warmDelta)) - median(bare.map(({ warmDelta }) => warmDelta))).toFixed(1)} ms (aim: under 25)`,
);
await platform.stop();
rmSync(scratch, { recursive: true, force: true });
process.exit(0);
