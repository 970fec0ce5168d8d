/**
 * A JSON schema as OpenAI's clients make it → as Anthropic's structured output takes it. The provider's own transformation does
 * the work; what it does not know (a type with `null`, definitions under their old name) is rewritten before. Pure.
 */
import { transformJSONSchema } from "@anthropic-ai/sdk/lib/transform-json-schema";

type Schema = Record<string, unknown>;

/** Null: it cannot be guaranteed, because a part of it says no type. */
export function toOutputSchema(schema: Schema): Schema | null {
  try {
    return transformJSONSchema(rewritten(schema));
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is Schema => typeof value === "object" && value !== null && !Array.isArray(value);

/** Keys whose values are schemas by name: those names are not keywords. */
const NAMED = new Set(["properties", "$defs", "definitions"]);
const LITERALS = new Set(["enum", "const", "default", "examples"]);

function rewritten(schema: Schema): Schema {
  const entries = Object.entries(schema).map(([key, value]): [string, unknown] => {
    if (LITERALS.has(key)) return [key, value];
    if (key === "$ref" && typeof value === "string") return [key, value.replace(/^#\/definitions\//, "#/$defs/")];
    if (NAMED.has(key) && isObject(value)) return [key === "definitions" ? "$defs" : key, mapValues(value)];
    return [key, inside(value)];
  });
  const result: Schema = Object.fromEntries(entries);
  return Array.isArray(result.type) ? alternatives(result, result.type) : result;
}

const inside = (value: unknown): unknown => (Array.isArray(value) ? value.map(inside) : isObject(value) ? rewritten(value) : value);
const mapValues = (named: Schema): Schema => Object.fromEntries(Object.entries(named).map(([name, value]) => [name, inside(value)]));

/** `type: ["string", "null"]` → one alternative for each type, each with what belongs to it. */
function alternatives(schema: Schema, types: readonly unknown[]): Schema {
  const own = entriesOf(schema, (key) => !["type", "description", "title"].includes(key));
  const about = entriesOf(schema, (key) => key === "description" || key === "title");
  if ("enum" in own || "const" in own) return { ...own, ...about };
  return { anyOf: types.map((type) => (type === "null" ? { type } : { ...own, type })), ...about };
}

const entriesOf = (schema: Schema, isKept: (key: string) => boolean): Schema =>
  Object.fromEntries(Object.entries(schema).filter(([key]) => isKept(key)));
