import { describe, expect, it } from "vitest";
import { reconcile, type Place } from "./reconcile.ts";

const place = (state: Place["state"], incarnation = 3): Place => ({ sessionId: "a", incarnation, state });
const living = (incarnation: number) => [{ sessionId: "a", incarnation }];

describe("reconcile", () => {
  it("[MA3] keeps a runner that lived on while the socket was away", () => {
    expect(reconcile([place("running")], living(3))).toEqual({ places: [place("running")], gone: [], kill: [], forget: [] });
  });
  it("[MA3] takes up a runner it did not know of", () => {
    expect(reconcile([], living(7)).places).toEqual([place("running", 7)]);
  });
  it("reports a runner that ended meanwhile, once", () => {
    const first = reconcile([place("running")], []);
    expect(first).toEqual({ places: [place("stopped")], gone: [{ sessionId: "a", incarnation: 3 }], kill: [], forget: [] });
    expect(reconcile(first.places, []).gone).toEqual([]);
  });
  it("[MA2] repeats a kill that was ordered while the machine was away", () => {
    expect(reconcile([place("killing")], living(3))).toMatchObject({ places: [place("killing")], kill: living(3) });
  });
  it("ends a kill whose runner is gone", () => {
    expect(reconcile([place("killing")], [])).toMatchObject({ places: [place("stopped")], gone: [], kill: [] });
  });
  it("[MA1] ends a runner that is older than the one started last", () => {
    expect(reconcile([place("running", 4)], living(3))).toMatchObject({ places: [place("killing", 3)], gone: living(4), kill: living(3) });
  });
  it("lets a newer runner live although an older one was to be killed", () => {
    expect(reconcile([place("killing", 3)], living(4))).toMatchObject({ places: [place("running", 4)], kill: [] });
  });
  it("kills a runner that was reported as ended and still lives", () => {
    expect(reconcile([place("stopped")], living(3)).kill).toEqual(living(3));
  });
  it("asks again to remove the files of a deleted session", () => {
    expect(reconcile([place("forgetting")], living(3))).toMatchObject({ places: [place("forgetting")], forget: ["a"], kill: [] });
  });
});
