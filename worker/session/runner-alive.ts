/**
 * Whether the runner still lives. A machine that lost power, or a laptop that fell asleep, closes no socket: silence
 * counts as a closed link. Looked at in a turn, and before a prompt is handed over; never while idle.
 */
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { SessionParts } from "./parts.ts";
import { closeQuietly } from "./runner-link.ts";
import { RUNNER_ALIVE_CHECK_MS } from "./steps.ts";

/** A ping may be a little late. */
const ALIVE_SLACK_MS = 5_000;

export function dropSilentRunner({ conductor, link, ports }: SessionParts): void {
  const { runner, incarnation } = conductor.flow;
  if (runner.state !== "ready" && runner.state !== "restoring") return;
  const ws = link.socket();
  if (ws !== null && ports.clock.now() - link.lastSignAt(ws) <= RUNNER_ALIVE_CHECK_MS + ALIVE_SLACK_MS) return;
  if (ws !== null) closeQuietly(ws, CLOSE.resume, "no sign of life");
  conductor.feed({ type: "closed", incarnation });
}
