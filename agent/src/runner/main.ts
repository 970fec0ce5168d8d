#!/usr/bin/env node
/**
 * Process entry of a runner. Its configuration is ONE JSON line on standard input: tokens in arguments or in the environment
 * could be read by other processes. Exit codes: 0 left in order, 1 could not go on (the session was told why),
 * 2 bad input, 70 a defect.
 */
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { runnerOrderSchema } from "@ai-dev-platform/protocol/machine";
import * as z from "zod";
import { policySchema } from "../machine/policy.ts";
import { log } from "../output.ts";
import { startAgent } from "./claude/agent.ts";
import { killAllRecorded } from "./process-group.ts";
import { Runner } from "./runner.ts";
import { gateFor } from "./signatures/gate-for.ts";
import { startWatch } from "./workspace/watch/watch.ts";
import { openWorkspace } from "./workspace/workspace.ts";

const inputSchema = z.object({
  server: z.url({ protocol: /^https?$/ }),
  order: runnerOrderSchema,
  stateDir: z.string().min(1),
  machineName: z.string(),
  policy: policySchema.optional(),
});

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  return "";
}

function parseInput(line: string): z.infer<typeof inputSchema> | null {
  try {
    return inputSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

const input = parseInput(await firstLine());
if (input === null) {
  log("error", "bad_input", { detail: "Expected one JSON line on standard input: {server, order, stateDir, machineName}." });
  process.exit(2);
}
mkdirSync(input.stateDir, { recursive: true, mode: 0o700 });
// A surprise ends the runner whole: an agent that nobody listens to must not go on working.
const onSurprise = (error: unknown): void => {
  log("error", "runner_broke", { detail: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  killAllRecorded(input.stateDir);
  process.exit(70);
};
process.on("uncaughtException", onSurprise);
process.on("unhandledRejection", onSurprise);
const { sessionId, incarnation } = input.order;
const gate = gateFor(process.env, { sessionId, incarnation });
const runner = new Runner(input, { openWorkspace, startAgent, log, gate, watch: startWatch });
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => runner.terminate());
process.exit(await runner.done);
