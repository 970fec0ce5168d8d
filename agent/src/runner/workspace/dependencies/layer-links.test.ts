import { describe, expect, it } from "vitest";
import { isInterpreter, staysInWorkspace } from "./layer-links.ts";

describe("[SN9] a link out of a dependency layer", () => {
  it.each([
    ["node_modules", "@team/own", "../../packages/own"],
    ["node_modules", "own", "../packages/own"],
    ["packages/a/node_modules", "own", "../../own"],
    ["node_modules", ".bin/run", "../tool/run.js"],
  ])("may lead to the workspace: %s/%s -> %s", (layer, link, target) => expect(staysInWorkspace(layer, link, target)).toBe(true));

  it.each([
    ["node_modules", "x", "../../etc"],
    ["node_modules", "@team/own", "../../../x"],
    ["node_modules", "x", "/etc"],
    ["node_modules", "x", "../packages/../../etc"],
    ["node_modules", "x", "a/../../.."],
    ["node_modules", "x", "../.git/hooks"],
    ["node_modules", "x", ".."],
    ["node_modules", "x", ""],
    ["node_modules", "x", "../a\0b"],
  ])("may lead nowhere else: %s/%s -> %s", (layer, link, target) => expect(staysInWorkspace(layer, link, target)).toBe(false));
});

describe("an interpreter's link", () => {
  it("is one by its place alone", () => {
    for (const name of ["bin/python", "bin/python3", "bin/python3.12"]) expect(isInterpreter("api/.venv", name)).toBe(true);
    for (const name of ["bin/pip", "lib/python3", "bin/python3/x", "bin/../python", "bin/python3.12.1.1.1.1"])
      expect(isInterpreter(".venv", name)).toBe(false);
    expect(isInterpreter("node_modules", "bin/python")).toBe(false);
  });
});
