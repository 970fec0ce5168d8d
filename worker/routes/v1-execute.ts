/** POST /v1/code/execute: code or a command, in a session of the caller or in a fresh one (SPEC EX9, EX10). Thin. */
import { Hono } from "hono";
import { executeSchema, type Execution } from "@ai-dev-platform/protocol/api/execute";
import { admit } from "../api/admission.ts";
import { requireToken } from "../api/authenticate.ts";
import { idUnder } from "../api/code-message.ts";
import { apiErrorBody } from "../api/errors.ts";
import { eventStream, frameOf } from "../api/event-stream.ts";
import { refusalOf, runProgram, type RunStep, type WantedRun } from "../api/execution-run.ts";
import { idempotent } from "../api/idempotency.ts";
import { AppError } from "../errors.ts";
import type { AppContext, AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { requireFeature } from "../middleware/features.ts";

/** What fits into one message to a runner, and some room for what a client's JSON spends on escapes. */
const MAX_EXECUTE_BODY_BYTES = 4 * 1_048_576;

export const executeRoutes = new Hono<AppEnv>();

executeRoutes.post("/v1/code/execute", requireFeature("execute"), requireToken("execute"), async (c) => {
  const caller = c.get("caller");
  return idempotent(c, caller, async () => {
    const request = await parseJson(c, executeSchema, MAX_EXECUTE_BODY_BYTES);
    await admit(c, caller, "execute");
    const key = c.req.header("idempotency-key");
    const executionId = await idUnder("execution", caller, key, request.session_id ?? "fresh");
    const wanted: WantedRun = { executionId, request, defer: (work) => c.executionCtx.waitUntil(work) };
    if (request.stream) return stream(c, wanted);
    const ended = await toEnd(runProgram(c.env, caller, wanted, c.req.raw.signal));
    const refusal = refusalOf(ended);
    if (refusal !== null) throw refusal;
    return c.json(ended);
  });
});

async function toEnd(steps: AsyncGenerator<RunStep>): Promise<Execution> {
  let last: Execution | null = null;
  for await (const step of steps) if ("ended" in step) last = step.ended;
  if (last === null) throw new AppError("internal");
  return last;
}

function stream(c: AppContext, wanted: WantedRun): Response {
  const requestId = c.get("requestId");
  return eventStream((signal) => frames(runProgram(c.env, c.get("caller"), wanted, signal)), {
    signal: c.req.raw.signal,
    failure: (error) => frameOf({ event: "error", data: apiErrorBody(error, requestId) }),
    waitUntil: (work) => c.executionCtx.waitUntil(work),
    headers: Object.fromEntries(c.res.headers),
  });
}

async function* frames(steps: AsyncGenerator<RunStep>): AsyncGenerator<string> {
  for await (const step of steps) {
    if ("ended" in step) yield frameOf({ event: "execution.ended", data: step.ended });
    else yield frameOf({ event: step.output.stream, data: { text: step.output.text } });
  }
}
