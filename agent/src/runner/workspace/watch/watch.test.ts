import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startWatch, type Watch, type WatchOptions } from "./watch.ts";

vi.setConfig({ testTimeout: 20_000 });

const REST_MS = 400;

let root: string;
const watches: Watch[] = [];
beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), "watch-")));
});
afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.stop()));
  rmSync(root, { recursive: true, force: true });
});
const write = (name: string, text = "x"): void => {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  writeFileSync(path.join(root, name), text);
};
const gitInit = (): void => void execFileSync("git", ["init", "-q"], { cwd: root });

/** Counts looks; the first is the one after the tree was walked. */
async function rig(over: Partial<WatchOptions> = {}) {
  const looks: number[] = [];
  const waiting = new Set<() => void>();
  let polls = 0;
  const look = async () => {
    looks.push(performance.now());
    for (const wake of waiting) wake();
  };
  watches.push(
    startWatch({ tree: { root, isInPlace: true }, look, onPolling: () => (polls += 1), log: () => {}, restMs: REST_MS, ...over }),
  );
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        if (looks.length >= count) resolve();
      };
      waiting.add(wake);
      wake();
    });
  return { looks, until, polls: () => polls };
}

describe("watch", () => {
  it("[MA12] looks once for many files that are saved together", async () => {
    write("a/b/c.txt");
    const { looks, until, polls } = await rig();
    await until(1);
    for (let n = 0; n < 50; n += 1) write(`a/new/${n}.txt`);
    await until(2);
    write("a/b/c.txt", "other");
    await until(3);
    expect(looks).toHaveLength(3);
    expect((looks[2] ?? 0) - (looks[1] ?? 0)).toBeGreaterThanOrEqual(REST_MS);
    expect(polls()).toBe(0);
  });
  it("[MA12] does not look for what Git ignores, nor for Git's own store, also when it came to be ignored later", async () => {
    gitInit();
    write(".gitignore", "/dist/\n*.log\n");
    write("dist/old.js");
    write("src/a.ts");
    const { looks, until } = await rig();
    await until(1);
    // A new ignored folder is noise once; what is written in it afterwards is none.
    write("dist/deep/old.js");
    write("debug.log");
    execFileSync("git", ["add", "."], { cwd: root });
    write("src/a.ts", "changed");
    await until(2);
    for (let n = 0; n < 20; n += 1) write(`dist/deep/${n}.js`);
    write("debug.log", "more");
    write("src/b.ts");
    await until(3);
    expect(looks).toHaveLength(3);
  });
  it("[MA12] looks from time to time at a tree that is too large, and says so once", async () => {
    for (let n = 0; n < 20; n += 1) write(`folder${n}/a.txt`);
    const { until, polls } = await rig({ maxFolders: 10, pollIntervalMs: 20 });
    await until(2);
    expect(polls()).toBe(1);
  });
  it("[MA12] goes over to looking from time to time when the tree grows too large", async () => {
    write("a.txt");
    const { until, polls } = await rig({ maxFolders: 10, pollIntervalMs: 20 });
    await until(1);
    for (let n = 0; n < 20; n += 1) write(`folder${n}/a.txt`);
    await until(3);
    expect(polls()).toBe(1);
  });
  it("goes on when a look fails, and stops when told", async () => {
    let count = 0;
    const failed = Promise.withResolvers<void>();
    const again = Promise.withResolvers<void>();
    const look = async () => {
      count += 1;
      if (count === 1) {
        failed.resolve();
        throw new Error("no git");
      }
      again.resolve();
    };
    await rig({ look });
    await failed.promise;
    write("a.txt");
    await again.promise;
    await watches[0]?.stop();
    write("b.txt");
    expect(count).toBe(2);
  });
});
