/** Every rule of protocol/SPEC.md has a test, and every cited id exists. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

const root = path.join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const rules = new Set([...read("protocol/SPEC.md").matchAll(/^- \*\*([A-Z]{2}\d+)\*\*/gm)].map((match) => match[1] as string));

const cited = new Map<string, string>();
for (const folder of ["protocol/src", "worker", "agent/src", "frontend/src", "tests"]) {
  for (const name of readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })) {
    if (!/\.test\.tsx?$/.test(name) || name.includes("node_modules")) continue;
    const file = path.posix.join(folder, name);
    for (const [, title = ""] of read(file).matchAll(/\b(?:it|test|describe)(?:\.\w+(?:\([^)]*\))?)?\(\s*[`"']([^`"']*)/g)) {
      for (const [, ids = ""] of title.matchAll(/\[([A-Z]{2}\d+(?:[,\s/]+[A-Z]{2}\d+)*)\]/g))
        for (const id of ids.split(/[,\s/]+/)) cited.set(id, file);
    }
  }
}

it("has a test for every rule", () => {
  expect(rules.size).toBeGreaterThan(30);
  expect([...rules].filter((id) => !cited.has(id))).toEqual([]);
});

it("cites only rules that exist", () => {
  expect([...cited].filter(([id]) => !rules.has(id))).toEqual([]);
});
