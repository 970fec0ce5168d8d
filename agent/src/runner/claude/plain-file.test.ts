import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPlainFile } from "./plain-file.ts";

let folder: string;
let root: string;
let secret: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "plain-file-"));
  root = path.join(folder, "workspace");
  mkdirSync(root);
  secret = path.join(folder, "private", "secret");
  mkdirSync(path.dirname(secret), { mode: 0o700 });
  writeFileSync(secret, "the runner's own", { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = async (file: string, maxBytes = 100) => (await readPlainFile(root, file, maxBytes))?.head.toString() ?? null;
const isRoot = process.getuid?.() === 0;

describe("a file of the workspace", () => {
  it("is read by its path from the root or from anywhere, also by a link inside", async () => {
    writeFileSync(path.join(root, "a.txt"), "abc");
    symlinkSync("a.txt", path.join(root, "b.txt"));
    expect([await read("a.txt"), await read(path.join(root, "a.txt")), await read("b.txt")]).toEqual(["abc", "abc", "abc"]);
    expect(await readPlainFile(root, "a.txt", 2)).toMatchObject({ bytes: 3, head: Buffer.from("ab") });
  });

  it("is never what a link leads to outside, at the end or on the way", async () => {
    symlinkSync(secret, path.join(root, "end"));
    symlinkSync(path.dirname(secret), path.join(root, "way"));
    for (const file of ["end", "way/secret", "../private/secret", secret]) expect([file, await read(file)]).toEqual([file, null]);
  });

  it("is not there when the workspace itself became a link", async () => {
    renameSync(root, path.join(folder, "old"));
    symlinkSync(path.dirname(secret), root);
    expect(await read("secret")).toBeNull();
  });

  it("is a plain file: no folder, and no pipe that is waited for", async () => {
    execFileSync("mkfifo", [path.join(root, "pipe")]);
    expect([await read("pipe"), await read("."), await read("none")]).toEqual([null, null, null]);
  });

  // Only root can read what is another's: as in a sandbox, where this runs.
  it.runIf(isRoot)("belongs to the workspace's owner, whatever name it has there", async () => {
    chownSync(root, 10_001, 10_001);
    chmodSync(root, 0o755);
    linkSync(secret, path.join(root, "other-name"));
    writeFileSync(path.join(root, "own"), "mine");
    chownSync(path.join(root, "own"), 10_001, 10_001);
    expect([await read("other-name"), await read("own")]).toEqual([null, "mine"]);
  });
});
