/** Whether a session may move to another host now, and how (SPEC SN11). Pure: whether the place is offered is asked elsewhere. */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Lifecycle } from "@ai-dev-platform/protocol/modes";
import type { Runner } from "./flow.ts";
import { isSaved } from "./lifecycles.ts";
import { isSamePlace, type Place } from "./place.ts";

export interface MoveFacts {
  place: Place;
  /** Open ones, asleep or not. */
  turns: number;
  runner: Runner["state"];
  lifecycle: Lifecycle;
  /** The project is a folder of a machine, used where it stands. */
  isInPlace: boolean;
  /** A turn ended after all that is known to be stored. */
  hasUnsavedTurn: boolean;
  /** Its machine was removed, or is not this owner's any more: what lies there is out of reach. */
  isPlaceLost: boolean;
}

/** `now`: nothing runs. `save_first`: a runner must save, then go. `leave`: a runner goes, and there is nothing to save. */
export type MoveVerdict = "same" | "now" | "save_first" | "leave" | { code: ErrorCode; detail: string };

const refused = (detail: string): MoveVerdict => ({ code: "move_refused", detail });

export function judgeMove(facts: MoveFacts, wanted: Place): MoveVerdict {
  const { place, turns, runner, lifecycle, isInPlace, hasUnsavedTurn, isPlaceLost } = facts;
  if (wanted.host === "sandbox" && wanted.machineId !== null) return { code: "bad_request", detail: "machineId: a sandbox is no machine" };
  if (isSamePlace(place, wanted)) return "same";
  if (turns > 0) return { code: "turn_running", detail: "It moves between turns." };
  if (isInPlace) return refused("Its project is a folder of its machine and stays there. Push it to Git, or upload it as a new project.");
  if (!isSaved(lifecycle)) return judgeUnsaved(runner, hasUnsavedTurn);
  if (runner === "ready") return "save_first";
  if (runner !== "off" && runner !== "waiting")
    return { code: "unavailable", detail: "It is just starting or going to sleep. Try again in a moment." };
  // A sandbox's disk went with it: what was not saved is nowhere any more.
  if (hasUnsavedTurn && place.host === "machine" && !isPlaceLost) {
    return refused(
      "What came after the last save is on its machine only. Start it there, so that it is saved; or fork it from the last saved state.",
    );
  }
  return "now";
}

function judgeUnsaved(runner: Runner["state"], hasUnsavedTurn: boolean): MoveVerdict {
  if (hasUnsavedTurn) return refused("An ephemeral session's files are not saved. Choose another lifecycle to keep them, then move it.");
  if (runner === "ready") return "leave";
  return runner === "off" || runner === "waiting" ? "now" : { code: "unavailable", detail: "It is just starting. Try again in a moment." };
}
