import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { killAllRecorded, killGroup, recordedGroups, startOf, writePidFile } from "./process-group.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "group-"));
  file = path.join(folder, "agent.pid");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A shell with a child of its own that outlives it. */
function family() {
  const child = spawn("sh", ["-c", "sleep 300 & echo $!; wait"], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  const grandchild = once(child.stdout, "data").then(([text]) => Number(String(text)));
  return { pid: child.pid ?? 0, gone: once(child, "exit"), grandchild };
}

describe("process group", () => {
  it("ends the recorded agent with its children", async () => {
    const { pid, gone, grandchild } = family();
    const childPid = await grandchild;
    writePidFile(file, pid);
    expect(recordedGroups(folder)).toEqual([pid]);
    expect(killAllRecorded(folder)).toEqual([pid]);
    await gone;
    await expect.poll(() => startOf(childPid)).toBeNull();
    expect(existsSync(file)).toBe(false);
  });

  it("[MA2] ends every agent of a runner, and touches no other file", async () => {
    const families = [family(), family()];
    for (const { grandchild } of families) await grandchild;
    const [first, second] = families.map(({ pid }) => pid);
    writePidFile(file, first ?? 0);
    writePidFile(path.join(folder, "agent-0123456789abcdef.pid"), second ?? 0);
    writeFileSync(path.join(folder, "other.pid"), "1\n1\n");
    expect(killAllRecorded(folder).toSorted()).toEqual([first, second].toSorted());
    for (const { gone } of families) await gone;
    expect(existsSync(path.join(folder, "other.pid"))).toBe(true);
    expect(killAllRecorded(path.join(folder, "none"))).toEqual([]);
  });

  it("spares another process that was given the same number", async () => {
    const { pid, gone, grandchild } = family();
    await grandchild;
    writeFileSync(file, `${pid}\n1\n`);
    expect(killAllRecorded(folder)).toEqual([]);
    expect(startOf(pid)).not.toBeNull();
    expect(existsSync(file)).toBe(false);
    killGroup(pid);
    await gone;
  });

  it.each(["", "x", "1\n1\n", "-5\n1\n", "0\n\n"])("makes nothing of %j", (text) => {
    writeFileSync(file, text);
    expect(killAllRecorded(folder)).toEqual([]);
  });
});
