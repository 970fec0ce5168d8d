/**
 * What people may change about where and how a session runs: lifecycle, hours, network (SPEC LC, HO5, NW). Each change is
 * an event first; what follows from it for a runner that is there comes after.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author } from "@ai-dev-platform/protocol/events";
import type { ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import { stopAllExecutions } from "./executions.ts";
import { isSaved, judgeLifecycle, saveEveryMsOf } from "./lifecycles.ts";
import type { SessionParts } from "./parts.ts";
import { awakeTurns } from "./steps.ts";

export type HostSetting = Extract<ViewerFrame, { type: "set_lifecycle" | "set_max_hours" | "set_network" | "allow_host" }>;
type Outcome = { ok: true } | { ok: false; code: ErrorCode; detail?: string };

const DONE: Outcome = { ok: true };
/** Who stops what runs when the hours are used up. */
const TIME_CAP: Author = { userId: "time-cap", name: "Time cap" };

export function changeHostSetting(parts: SessionParts, frame: HostSetting, author: Author): Outcome {
  const { ledger, conductor, use, egress } = parts;
  switch (frame.type) {
    case "set_lifecycle":
      return setLifecycle(parts, frame.lifecycle, author);
    case "set_max_hours":
      ledger.append({ event: { type: "max_hours_set", maxHours: frame.maxHours, author } });
      // Below what was used already, it is reached at once.
      if (use.leftMs() === 0) reachTimeCap(parts);
      use.rearmCap();
      // Prompts that the cap held back may go on; nothing else is started by this.
      conductor.feed({ type: "proceed", mayStart: true });
      return DONE;
    case "set_network":
      ledger.append({ event: { type: "network_set", network: frame.network, author } });
      return DONE;
    case "allow_host":
      return egress.allow(frame.host, frame.scope, author);
    default:
      return frame satisfies never;
  }
}

function setLifecycle(
  parts: SessionParts,
  lifecycle: Extract<HostSetting, { type: "set_lifecycle" }>["lifecycle"],
  author: Author,
): Outcome {
  const { ledger, conductor } = parts;
  const verdict = judgeLifecycle(ledger.state, lifecycle);
  if (verdict === "same") return DONE;
  if (verdict !== "change") return { ok: false, ...verdict };
  const wasSaved = isSaved(ledger.state.lifecycle);
  ledger.append({ event: { type: "lifecycle_set", lifecycle, author } });
  conductor.retime();
  armSave(parts);
  // "Keep": what is there now is saved at once.
  if (!wasSaved) saveNow(parts);
  return DONE;
}

/** The hours are used up: what runs is stopped, saved and put to sleep; what waits, waits for the owner. */
export function reachTimeCap(parts: SessionParts): void {
  const { ledger, conductor, use, alarms } = parts;
  if (use.leftMs() > 0) return use.rearmCap();
  use.count();
  const { hostSeconds: seconds, maxHours, timeCapReached } = ledger.state;
  if (!timeCapReached) ledger.append({ event: { type: "time_cap_reached", seconds, maxHours } });
  // A turn that sleeps uses nothing.
  for (const { turnId } of awakeTurns(conductor.flow)) conductor.feed({ type: "stop", turnId, author: TIME_CAP });
  stopAllExecutions(parts);
  conductor.retime();
  conductor.feed({ type: "deadline", name: "runner_idle" });
  alarms.disarm("runner_save");
}

/** The next save by the clock, where a lifecycle has one. */
export function armSave({ ledger, alarms, ports, conductor }: SessionParts): void {
  const everyMs = saveEveryMsOf(ledger.state.lifecycle, ledger.state.hostKind);
  const isServing = conductor.flow.runner.state === "ready";
  alarms.armOrDisarm("runner_save", everyMs === null || !isServing ? null : ports.clock.now() + everyMs);
}

export function saveByClock(parts: SessionParts): void {
  if (parts.conductor.flow.runner.state !== "ready") return;
  saveNow(parts);
  armSave(parts);
}

function saveNow({ ledger, link, newId }: SessionParts): void {
  if (ledger.state.hostKind === "direct") return;
  const requestId = newId("request");
  ledger.afterCommit(() => void link.send({ type: "save", requestId, asked: false }));
}
