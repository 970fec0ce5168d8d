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

  it("[SN11] to where it is, is done", () => {
    expect(judgeMove(facts({ turns: 1 }), here)).toBe("same");
    expect(judgeMove(facts(), { host: "machine", machineId: null })).toBe("now");
    expect(judgeMove(facts(), { host: "sandbox", machineId: "mch_here" })).toEqual(refused("bad_request"));
  });
});
