/** Whether a session may move to another host now, and how (SPEC SN11). Pure: whether the place is offered is asked elsewhere. */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Lifecycle } from "@ai-dev-platform/protocol/modes";
import type { Runner } from "./flow.ts";
import { isSaved } from "./lifecycles.ts";
import type { LeftPlace } from "./direct-talk.ts";
import { isSamePlace, type Place } from "./place.ts";

export interface MoveFacts {
  place: Place;
  /** Open ones, asleep or not, and programs that run. */
  turns: number;
  runner: Runner["state"];
  lifecycle: Lifecycle;
  /** The project is a folder of a machine, used where it stands. */
  isInPlace: boolean;
  /** A turn ended after all that is known to be stored. */
  hasUnsavedTurn: boolean;
  /** Its machine was removed, or is not this owner's any more: what lies there is out of reach. While direct: of `left`. */
  isPlaceLost: boolean;
  /** Where it was before it was direct; null while it is not, or was never anything else. */
  left: LeftPlace | null;
}

/** `now`: nothing runs. `save_first`: a runner must save, then go. `leave`: a runner goes, and there is nothing to save. */
export type MoveVerdict = "same" | "now" | "save_first" | "leave" | { code: ErrorCode; detail: string };

const refused = (detail: string): MoveVerdict => ({ code: "move_refused", detail });
const BUSY: MoveVerdict = { code: "unavailable", detail: "It is just starting or going to sleep. Try again in a moment." };
const IN_PLACE = "Its project is a folder of its machine and stays there. Push it to Git, or upload it as a new project.";
const EPHEMERAL = "An ephemeral session's files are not saved. Choose another lifecycle to keep them, then move it.";

export function judgeMove(facts: MoveFacts, wanted: Place): MoveVerdict {
  const { place, turns, runner, lifecycle, isInPlace, hasUnsavedTurn, isPlaceLost } = facts;
  if (wanted.host !== "machine" && wanted.machineId !== null)
    return {
      code: "bad_request",
      detail: wanted.host === "sandbox" ? "machineId: a sandbox is no machine" : "machineId: direct needs none",
    };
  if (isSamePlace(place, wanted)) return "same";
  if (turns > 0) return { code: "turn_running", detail: "It moves between turns, when no program runs." };
  if (wanted.host === "direct") return judgeToDirect(facts);
  if (place.host === "direct") return judgeFromDirect(facts, wanted);
  if (isInPlace) return refused(IN_PLACE);
  if (!isSaved(lifecycle)) return judgeUnsaved(runner, hasUnsavedTurn);
  if (runner === "ready") return "save_first";
  if (runner !== "off" && runner !== "waiting") return BUSY;
  // A sandbox's disk went with it: what was not saved is nowhere any more.
  if (hasUnsavedTurn && place.host === "machine" && !isPlaceLost) {
    return refused(
      "What came after the last save is on its machine only. Start it there, so that it is saved; or fork it from the last saved state.",
    );
  }
  return "now";
}

function judgeUnsaved(runner: Runner["state"], hasUnsavedTurn: boolean): MoveVerdict {
  if (hasUnsavedTurn) return refused(EPHEMERAL);
  if (runner === "ready") return "leave";
  return runner === "off" || runner === "waiting" ? "now" : { code: "unavailable", detail: "It is just starting. Try again in a moment." };
}

/** What lies on a machine's disk stays there, past the newest saved state, and is found again (SPEC DI3). */
function judgeToDirect({ place, runner, lifecycle, hasUnsavedTurn }: MoveFacts): MoveVerdict {
  if (runner === "off" || runner === "waiting") return "now";
  // Its runner may be back in a moment, or be given up.
  if (isSaved(lifecycle) && (runner === "ready" || runner === "away")) return "save_first";
  if (runner !== "ready") return BUSY;
  return place.host === "machine" || !hasUnsavedTurn ? "leave" : refused(EPHEMERAL);
}

function judgeFromDirect({ runner, isInPlace, hasUnsavedTurn, isPlaceLost, left }: MoveFacts, wanted: Place): MoveVerdict {
  const isHome = left !== null && (isSamePlace(left.place, wanted) || (wanted.machineId !== null && wanted.machineId === left.ranOn));
  if (isInPlace && !isHome) return refused(IN_PLACE);
  if (hasUnsavedTurn && left?.place.host === "machine" && !isPlaceLost && !isHome)
    return refused(
      "What came after the last save is on the machine that it left only. Go back there; or fork it from the last saved state.",
    );
  if (runner === "ready") return "leave";
  return runner === "off" || runner === "waiting" ? "now" : BUSY;
}
