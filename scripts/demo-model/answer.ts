/** Sends one answer: paced server-sent events or one JSON message, with the faults a test asked for. */
import type { ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { Fault, Step } from "./scenario.ts";
import { encodeSse, toEvents, toMessage, type MessageHead } from "./sse.ts";

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

export const apiError = (type: string, message: string): unknown => ({ type: "error", error: { type, message } });

export async function sendStep(response: ServerResponse, step: Step, head: MessageHead, stream: boolean, paceMs: number): Promise<void> {
  const fault = step.fault;
  if (fault?.kind === "http")
    return sendJson(response, fault.status, fault.body ?? apiError("api_error", "scripted failure"), fault.headers);
  if (fault?.kind === "destroy") {
    response.destroy();
    return;
  }
  if (!stream) return sendJson(response, 200, toMessage(step.blocks, head));
  await sendStream(response, step, head, step.paceMs ?? paceMs, fault);
}

async function sendStream(
  response: ServerResponse,
  step: Step,
  head: MessageHead,
  paceMs: number,
  fault: Fault | undefined,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
  let deltas = 0;
  for (const event of toEvents(step.blocks, head)) {
    if (response.destroyed) return;
    if (event.isDelta) {
      if (paceMs > 0 && deltas > 0) await wait(paceMs);
      if (await interrupted(response, fault, deltas)) return;
      deltas += 1;
    }
    response.write(encodeSse(event));
  }
  response.end();
}

/** Carries out a fault that strikes in the middle of a stream. True when nothing more is to be sent. */
async function interrupted(response: ServerResponse, fault: Fault | undefined, deltas: number): Promise<boolean> {
  if (fault?.kind === "cut" && deltas >= fault.afterDeltas) {
    response.destroy();
    return true;
  }
  if (fault?.kind === "sse_error" && deltas === 1) {
    response.write(encodeSse({ event: "error", data: { error: { type: fault.errorType, message: fault.message } }, isDelta: false }));
    response.end();
    return true;
  }
  if (fault?.kind === "stall" && deltas === 1) await wait(fault.ms, undefined, { ref: false });
  return response.destroyed;
}
