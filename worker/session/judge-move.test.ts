import { describe, expect, it } from "vitest";
import { judgeMove, type MoveFacts } from "./judge-move.ts";

const here = { host: "machine", machineId: "mch_here" } as const;
const sandbox = { host: "sandbox", machineId: null } as const;
const facts = (over: Partial<MoveFacts> = {}): MoveFacts => ({
  place: here,
  turns: 0,
  runner: "off",
  lifecycle: "hydrated",
  isInPlace: false,
  hasUnsavedTurn: false,
  isPlaceLost: false,
  left: null,
  ...over,
});
const refused = (code: string) => expect.objectContaining({ code });

describe("a move", () => {
  it.each<[string, Partial<MoveFacts>, unknown]>([
    ["happens at once when nothing runs", {}, "now"],
    ["happens at once while it waits for a host", { runner: "waiting" }, "now"],
    ["saves first when a runner is there", { runner: "ready" }, "save_first"],
    ["waits for a turn, also one that sleeps", { turns: 1 }, refused("turn_running")],
    ["waits for a start", { runner: "starting" }, refused("unavailable")],
    ["waits for a link that is lost", { runner: "away" }, refused("unavailable")],
    ["waits for a runner that goes", { runner: "retiring" }, refused("unavailable")],
    ["never takes a folder of a machine", { isInPlace: true, runner: "ready" }, refused("move_refused")],
    ["loses no turn that lies on a machine", { hasUnsavedTurn: true }, refused("move_refused")],
    ["saves a turn that was not saved yet", { hasUnsavedTurn: true, runner: "ready" }, "save_first"],
    ["leaves what is out of reach", { hasUnsavedTurn: true, isPlaceLost: true }, "now"],
    ["leaves what went with a sandbox", { hasUnsavedTurn: true, place: { host: "sandbox", machineId: null } }, "now"],
    ["loses no file of an ephemeral session", { lifecycle: "ephemeral", hasUnsavedTurn: true }, refused("move_refused")],
    ["takes an ephemeral session that has none", { lifecycle: "ephemeral", runner: "ready" }, "leave"],
  ])("[SN11] %s", (_name, over, verdict) => {
    const wanted = over.place === undefined ? sandbox : here;
    expect(judgeMove(facts(over), wanted)).toEqual(verdict);
  });

  const direct = { host: "direct", machineId: null } as const;
  const left = { place: { host: "machine", machineId: null } as const, ranOn: "mch_ran" };

  it.each<[string, Partial<MoveFacts>, unknown]>([
    ["at once from a machine that is gone, whatever lies there", { runner: "waiting", hasUnsavedTurn: true }, "now"],
    ["after a save where a runner is there", { runner: "ready" }, "save_first"],
    ["from a runner that may be back in a moment", { runner: "away" }, "save_first"],
    ["from a folder of a machine too", { isInPlace: true }, "now"],
    ["with an ephemeral machine's files left on it", { lifecycle: "ephemeral", runner: "ready", hasUnsavedTurn: true }, "leave"],
    [
      "not with an ephemeral sandbox's files lost",
      { lifecycle: "ephemeral", runner: "ready", hasUnsavedTurn: true, place: sandbox },
      refused("move_refused"),
    ],
    ["between turns", { turns: 1 }, refused("turn_running")],
    ["not while it starts", { runner: "starting" }, refused("unavailable")],
  ])("[DI3] becomes direct %s", (_name, over, verdict) => {
    expect(judgeMove(facts(over), direct)).toEqual(verdict);
  });

  it.each<[string, Partial<MoveFacts>, Parameters<typeof judgeMove>[1], unknown]>([
    ["at once when nothing runs", {}, sandbox, "now"],
    ["with nothing to save", { runner: "ready" }, sandbox, "leave"],
    ["back to what was left behind", { hasUnsavedTurn: true, left }, left.place, "now"],
    ["back to the very machine that has it", { hasUnsavedTurn: true, left }, { host: "machine", machineId: "mch_ran" }, "now"],
    ["nowhere else meanwhile", { hasUnsavedTurn: true, left }, sandbox, refused("move_refused")],
    ["anywhere when that is out of reach", { hasUnsavedTurn: true, left, isPlaceLost: true }, sandbox, "now"],
    ["home with a folder of a machine", { isInPlace: true, left }, left.place, "now"],
    ["nowhere else with a folder of a machine", { isInPlace: true, left }, here, refused("move_refused")],
  ])("[DI3] leaves direct mode %s", (_name, over, wanted, verdict) => {
    expect(judgeMove(facts({ place: direct, ...over }), wanted)).toEqual(verdict);
  });

  it("[DI3] needs no machine's name", () => {
    expect(judgeMove(facts(), { host: "direct", machineId: "mch_here" })).toMatchObject({ code: "bad_request" });
  });

  it("[SN11] to where it is, is done", () => {
    expect(judgeMove(facts({ turns: 1 }), here)).toBe("same");
    expect(judgeMove(facts(), { host: "machine", machineId: null })).toBe("now");
    expect(judgeMove(facts(), { host: "sandbox", machineId: "mch_here" })).toEqual(refused("bad_request"));
  });
});
