import { mkdtempSync, readdirSync, readFileSync, mkdirSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { AppError } from "../errors.ts";
import { attachmentsOf, batchesOf, withAttached } from "./attachments.ts";

const at = (url: string) => [{ url, name: null, param: "messages[0]" }];
const PIXEL = "iVBORw0KGgo=";

it("[CA28] takes images as data alone", () => {
  expect(attachmentsOf(at(`data:image/png;base64,${PIXEL}`), "m")).toEqual([{ path: ".attachments/m-1.png", base64: PIXEL }]);
  for (const url of ["https://example.com/a.png", "data:image/png,raw", "data:text/html;base64,AA==", "data:image/png;base64,no base64"]) {
    expect(() => attachmentsOf(at(url), "m")).toThrow(AppError);
  }
});

it("[CA28] writes large ones in pieces that fit a frame, and puts them together", () => {
  const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, index) => (index * 31) % 256));
  const attachments = [
    { path: ".attachments/m-1.png", base64: bytes.toString("base64") },
    { path: ".attachments/m-2.png", base64: PIXEL },
  ];
  const batches = batchesOf({ "notes/a.txt": "hello" }, attachments);
  expect(batches.length).toBeGreaterThan(1);
  const folder = mkdtempSync(path.join(os.tmpdir(), "attachments-"));
  for (const { files, code } of batches) {
    expect(JSON.stringify(files).length).toBeLessThan(650_000);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    }
    // As a module and as a script.
    if (code !== undefined)
      for (const type of ["module", "commonjs"]) execFileSync(process.execPath, [`--input-type=${type}`, "-e", code], { cwd: folder });
  }
  expect(readdirSync(path.join(folder, ".attachments")).toSorted()).toEqual(["m-1.png", "m-2.png"]);
  expect(readFileSync(path.join(folder, ".attachments/m-1.png")).equals(bytes)).toBe(true);
  expect(readFileSync(path.join(folder, "notes/a.txt"), "utf8")).toBe("hello");
});

it("names in the prompt what is attached", () => {
  expect(withAttached("Fix it", [{ path: ".attachments/m-1.png", base64: "" }])).toBe(
    "Fix it\n\nAttached files, in the workspace:\n- .attachments/m-1.png",
  );
  expect(withAttached("Fix it", [])).toBe("Fix it");
});
