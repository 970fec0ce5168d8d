import { describe, expect, it } from "vitest";
import { chooseMachines, type MachineLoad } from "./decisions.ts";

const machine = (machineId: string, over: Partial<MachineLoad> = {}): MachineLoad => ({
  machineId,
  isOnline: true,
  running: 0,
  capacity: 2,
  allowsPaths: true,
  ...over,
});
const anywhere = { lastMachineId: null, needsPaths: false };

describe("chooseMachines", () => {
  it("says no_machine when none is online", () => {
    expect(chooseMachines([machine("a", { isOnline: false })], anywhere)).toEqual({ candidates: [], code: "no_machine" });
  });
  it("prefers the fewest running", () => {
    expect(chooseMachines([machine("a", { running: 1 }), machine("b")], anywhere).candidates).toEqual(["b", "a"]);
  });
  it("prefers the machine that has the files, while it has room", () => {
    const machines = [machine("a", { running: 1 }), machine("b")];
    expect(chooseMachines(machines, { lastMachineId: "a", needsPaths: false }).candidates).toEqual(["a", "b"]);
    machines[0] = machine("a", { running: 2 });
    expect(chooseMachines(machines, { lastMachineId: "a", needsPaths: false }).candidates).toEqual(["b", "a"]);
  });
  it("asks a machine that looks full last, and says machine_full", () => {
    expect(chooseMachines([machine("a", { running: 2 })], anywhere)).toEqual({ candidates: ["a"], code: "machine_full" });
  });
  it("takes a folder project only where folders are allowed", () => {
    const machines = [machine("a", { allowsPaths: false }), machine("b")];
    expect(chooseMachines(machines, { lastMachineId: "a", needsPaths: true }).candidates).toEqual(["b"]);
  });
});
