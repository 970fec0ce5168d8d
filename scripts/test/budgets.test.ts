import { expect, it } from "vitest";
import { initialFiles, isOver, type Manifest, manifestSchema, report, weighPages } from "./budgets.ts";

const manifest: Manifest = manifestSchema.parse({
  "index.html": { file: "index.js", imports: ["_react"], css: ["index.css"], dynamicImports: ["list", "later"] },
  _react: { file: "react.js", imports: ["index.html"] },
  list: { file: "list.js", imports: ["_react", "_rows"], isDynamicEntry: true },
  _rows: { file: "rows.js", css: ["rows.css", "index.css"] },
  later: { file: "later.js", imports: [], isDynamicEntry: true },
});

it("counts what a page imports, once, around circles, and not what is loaded later", () => {
  expect(initialFiles(manifest, ["index.html", "list"])).toEqual({
    scripts: ["index.js", "list.js", "react.js", "rows.js"],
    styles: ["index.css", "rows.css"],
  });
});

it("names a page whose file moved instead of counting nothing", () => {
  expect(() => initialFiles(manifest, ["gone.tsx"])).toThrow("gone.tsx");
});

it("is over above the limit, not at it", () => {
  const page = { name: "list", roots: ["index.html", "list"], maxScriptKb: 4 };
  const at = weighPages(manifest, () => 1_024, [page]);
  const above = weighPages(manifest, () => 1_025, [page]);
  expect(at.map(isOver)).toEqual([false, false]);
  expect(above.map(isOver)).toEqual([true, false]);
  expect(report(above)).toContain("OVER list: scripts: 4.0 of 4 KB");
});
