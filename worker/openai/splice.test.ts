import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findTopLevelString, replaceTopLevelString } from "./splice.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const replaced = (json: string, value = "m") => {
  const result = replaceTopLevelString(bytes(json), "model", value);
  return result === null ? null : new TextDecoder().decode(result);
};

describe("[MP5] the name of the model in a request's bytes", () => {
  it.each([
    [`{"model":"a"}`, `{"model":"m"}`],
    [`{ "x" : "model", "model"\n:\t"openai/gpt" , "y":1.0e5}`, `{ "x" : "model", "model"\n:\t"m" , "y":1.0e5}`],
    [`{"m\\u006fdel":"a\\"b"}`, `{"m\\u006fdel":"m"}`],
    [`{"a":{"model":"deep"},"b":[{"model":"deeper"}],"model":"top"}`, `{"a":{"model":"deep"},"b":[{"model":"deeper"}],"model":"m"}`],
    [
      `{"text":"say \\"model\\": \\"x\\" \\\\","model":"top","z":"\u2028😀"}`,
      `{"text":"say \\"model\\": \\"x\\" \\\\","model":"m","z":"\u2028😀"}`,
    ],
  ])("is replaced alone in %s", (json, expected) => expect(replaced(json)).toBe(expected));

  it.each([`{}`, `{"model":1}`, `{"model":{"model":"a"}}`, `["model","a"]`, `{"model":null,"x":"y"}`, `{"x":"model"}`, `"model"`])(
    "is not found in %s",
    (json) => expect(replaced(json)).toBeNull(),
  );

  it("keeps every other byte, whatever stands around it", () => {
    const fields = fc.dictionary(
      fc.string().filter((key) => key !== "model" && key !== "__proto__"),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fields, fields, fc.string(), fc.string(), fc.constantFrom(0, 1, 3), (before, after, name, value, indent) => {
        const json = JSON.stringify({ ...before, model: name, ...after }, null, indent);
        // Through JSON once: it has no negative zero.
        const whole: object = JSON.parse(json);
        const place = findTopLevelString(bytes(json), "model");
        const result = replaced(json, value) ?? "";
        expect(JSON.parse(result)).toEqual({ ...whole, model: value });
        expect(bytes(result).slice(0, place?.start)).toEqual(bytes(json).slice(0, place?.start));
        expect(result.length - json.length).toBe(JSON.stringify(value).length - JSON.stringify(name).length);
      }),
      { numRuns: 500 },
    );
  });
});
