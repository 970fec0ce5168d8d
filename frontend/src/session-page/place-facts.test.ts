import type { MachineBody } from "@ai-dev-platform/protocol/http";
import { emptyState, type SessionState } from "@ai-dev-platform/protocol/state";
import { describe, expect, it } from "vitest";
import { machine } from "../machines/machine-fixture.ts";
import { machineOf, placeNote } from "./place-facts.ts";

const place = (patch: Partial<SessionState>): SessionState => ({ ...emptyState(), ...patch });
const saved = { snapshotId: "snp_1", throughSeq: 1, at: 1, treeFiles: 1, storedBytes: 1, leftOut: [] };
const laptop = machine("laptop");
const away: MachineBody = { ...laptop, state: "offline", isOnline: false, since: 1_000 };
const lent = machine("rack", { isOperator: true });
const on = { hostKind: "machine", machineId: laptop.machineId } as const;
const direct = { hostKind: "direct", machineId: null } as const;

describe("placeNote", () => {
  it("says that the machine is away, until the dock says it", () => {
    const around = { machines: [away, lent], hasSandbox: true };
    expect(placeNote(place(on), around)).toEqual({ kind: "away", name: "laptop", since: 1_000 });
    const { host } = emptyState();
    expect(placeNote(place({ ...on, host: { ...host, state: "waiting" } }), around)).toBeNull();
    expect(placeNote(place(on), { ...around, machines: [laptop] })).toBeNull();
    expect(placeNote(place(on), { ...around, machines: [{ ...laptop, state: "reconnecting" }] })).toBeNull();
    expect(placeNote(place(on), { ...around, machines: null })).toBeNull();
    expect(placeNote(place({ hostKind: "sandbox" }), around)).toBeNull();
  });

  it("says in direct mode what can be done about it, the way home first", () => {
    const home = place({ ...direct, wayBack: { host: "machine", machineId: laptop.machineId }, saved });
    const told = (machines: MachineBody[], hasSandbox: boolean, state = home) => {
      const note = placeNote(state, { machines, hasSandbox });
      return note?.kind === "direct" ? [note.way?.host ?? null, note.way?.machineId ?? null, note.isBack, note.readsFiles] : null;
    };
    expect(told([laptop, lent], true)).toEqual(["machine", laptop.machineId, true, true]);
    expect(told([away, lent], true)).toEqual(["sandbox", null, false, true]);
    expect(told([away, lent], false)).toEqual(["machine", null, false, true]);
    expect(told([away], false)).toEqual([null, null, false, true]);
    expect(told([laptop], false, place(direct))).toEqual(["machine", laptop.machineId, false, false]);
    expect(told([lent], true, place({ ...direct, wayBack: { host: "machine", machineId: null } }))).toEqual(["machine", null, true, false]);
    expect(told([], true, place({ ...direct, wayBack: { host: "sandbox", machineId: null } }))).toEqual(["sandbox", null, true, false]);
  });
});

it("knows one of the operator's machines by its name, unless two share it", () => {
  const state = place({ hostKind: "machine", host: { ...emptyState().host, hostName: "rack" } });
  expect(machineOf(state, [laptop, lent])).toBe(lent);
  expect(machineOf(state, [lent, { ...lent, machineId: "mch_other" }])).toBeNull();
  expect(machineOf(state, [laptop])).toBeNull();
});
