import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseSwept } from "./sweep.ts";

const PREFIX = "snapshots/ses_x/";
const object = (name: string, uploadedAt: number) => ({ key: PREFIX + name, uploadedAt });

describe("what a sweep removes", () => {
  it("[SN13] is old and unnamed; what has an odd name, too", () => {
    const objects = [object("a/0", 1), object("a/1", 1), object("b/0", 9), object("odd", 1)];
    expect(chooseSwept(objects, PREFIX, new Set(["a/0"]), 5)).toEqual({ remove: [`${PREFIX}a/1`, `${PREFIX}odd`], young: 1 });
  });
  it("[SN13] is never kept and never young", () => {
    const name = fc.constantFrom("a/0", "a/1", "b/0", "c/0", "c/00", "");
    const objects = fc.array(fc.record({ name, uploadedAt: fc.nat(20) }));
    fc.assert(
      fc.property(objects, fc.array(name), fc.nat(20), (made, names, before) => {
        const kept = new Set<string>(names);
        const all = made.map((one) => object(one.name, one.uploadedAt));
        const { remove, young } = chooseSwept(all, PREFIX, kept, before);
        const expected = all.filter(({ key, uploadedAt }) => !kept.has(key.slice(PREFIX.length)) && uploadedAt < before);
        expect(remove).toEqual(expected.map(({ key }) => key));
        expect(young + remove.length).toBe(all.filter(({ key }) => !kept.has(key.slice(PREFIX.length))).length);
      }),
    );
  });
});
