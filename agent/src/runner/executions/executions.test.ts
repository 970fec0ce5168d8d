/** Programs as real processes: what they see, what they leave, how they end. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { MAX_FRAME_BYTES } from "@ai-dev-platform/protocol/limits";
import { outboxItemSchema, type ExecutionReport, type ExecutionRun, type RunnerFrame } from "@ai-dev-platform/protocol/runner";
import { testId } from "../testing/ids.ts";
import { ExecutionMarks } from "../workspace/execution-marks.ts";
import { Executions, type ExecutionAccount } from "./executions.ts";

type Piece = Extract<RunnerFrame, { type: "execution_output" }>;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const folder = (): string => {
  const made = realpathSync(mkdtempSync(path.join(tmpdir(), "exe-")));
  cleanups.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

let count = 0;
/** Other work on the computer slows every one of these down. */
const SLOW_MS = 60_000;

function rig(options: { account?: ExecutionAccount; root?: string } = {}) {
  const root = options.root ?? folder();
  const stateDir = folder();
  const temporary = folder();
  chmodSync(temporary, 0o777);
  const marks = new ExecutionMarks({ root, isInPlace: false }, () => ({ commit: null, baseline: {} }));
  const frames: Piece[] = [];
  const waiting = new Map<string, (report: ExecutionReport) => void>();
  const executions = new Executions({
    workspace: { root, beginExecution: (id, files) => marks.begin(id, files), endExecution: (id) => marks.end(id) },
    stateDir,
    account: { launcher: [], ...options.account, environment: { TMPDIR: temporary, ...options.account?.environment } },
    send: (frame) => {
      if (frame.type === "execution_output") frames.push(frame);
      return true;
    },
    isCongested: () => false,
    report: (report) => waiting.get(report.executionId)?.(report),
    beforeRun: async () => undefined,
    filesChanged: () => undefined,
    log: () => undefined,
  });
  cleanups.push(() => executions.leave());
  const begin = (run: Partial<ExecutionRun>) => {
    const executionId = testId("execution", (count += 1));
    const ended = new Promise<ExecutionReport>((resolve) => waiting.set(executionId, resolve));
    executions.execute({ type: "execute", executionId, run: { timeoutMs: 20_000, outputBytes: 65_536, ...run } });
    return { executionId, ended };
  };
  return { root, stateDir, temporary, executions, frames, begin, run: (run: Partial<ExecutionRun>) => begin(run).ended };
}

/** Processes that carry the execution's mark. */
const marked = (executionId: string): string[] =>
  readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/environ`, "latin1").includes(`AI_DEV_EXECUTION=${executionId}`);
    } catch {
      return false;
    }
  });

async function untilTrue(what: string, condition: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > giveUpAt) throw new Error(what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe("what runs", { timeout: SLOW_MS }, () => {
  it("runs bash, Python, JavaScript and TypeScript in the workspace, with input, and leaves the tree clean", async () => {
    const { root, temporary, stateDir, run } = rig();
    mkdirSync(path.join(root, "node_modules/dep"), { recursive: true });
    writeFileSync(path.join(root, "node_modules/dep/index.js"), "module.exports = 'DEP'");
    writeFileSync(path.join(root, "local.mjs"), "export const local = 'LOCAL';");
    writeFileSync(path.join(root, "common.cjs"), "module.exports = 'COMMON';");
    writeFileSync(path.join(root, "pymod.py"), "VALUE = 'PY'\n");
    expect(await run({ language: "bash", code: 'read x; echo "$x $PWD"; echo bad >/dev/stderr; exit 3', stdin: "hi\n" })).toMatchObject({
      status: "failed",
      exitCode: 3,
      stdout: `hi ${root}\n`,
      stderr: "bad\n",
    });
    expect(await run({ command: "cat /dev/stdin | wc -c", stdin: "x".repeat(200_000) })).toMatchObject({
      status: "completed",
      stdout: "200000\n",
    });
    expect(await run({ language: "python", code: "import sys, pymod\nprint(pymod.VALUE, sys.stdin.read())", stdin: "in" })).toMatchObject({
      status: "completed",
      stdout: "PY in\n",
    });
    const esm = "import dep from 'dep'; import { local } from './local.mjs'; console.log(dep, local, process.cwd())";
    expect(await run({ language: "javascript", code: esm })).toMatchObject({ stdout: `DEP LOCAL ${root}\n`, stderr: "" });
    const cjs = "console.log(require('dep'), require('./common.cjs'), require('node:os').EOL.length)";
    expect(await run({ language: "javascript", code: cjs })).toMatchObject({ stdout: "DEP COMMON 1\n", stderr: "" });
    const ts = "const n: number = 2; interface A { a: string }\nconst a: A = { a: 'x' }; console.log(n, a.a);";
    expect(await run({ language: "typescript", code: ts })).toMatchObject({ stdout: "2 x\n", stderr: "" });
    expect([readdirSync(temporary), readdirSync(stateDir), existsSync(path.join(root, "__pycache__"))]).toEqual([[], [], false]);
  });

  it("says which interpreter is missing and changes nothing", async () => {
    const { root, run } = rig({ account: { launcher: [], environment: { PATH: "/usr/bin:/bin" } } });
    const report = await run({ language: "go", code: "package main", files: { "a.txt": "a" } });
    expect(report).toMatchObject({ status: "failed", exitCode: null, problem: { code: "execution_language_missing" } });
    expect(readdirSync(root)).toEqual([]);
  });

  it("is run once, whoever asks again", async () => {
    const { executions, root, begin } = rig();
    const { executionId, ended } = begin({ command: "echo x >>n; sleep 0.2" });
    executions.execute({ type: "execute", executionId, run: { timeoutMs: 1_000, outputBytes: 10, command: "echo x >>n" } });
    await ended;
    executions.execute({ type: "execute", executionId, run: { timeoutMs: 1_000, outputBytes: 10, command: "echo x >>n" } });
    expect(readFileSync(path.join(root, "n"), "utf8")).toBe("x\n");
    expect(executions.known).toContain(executionId);
  });
});

describe("how it ends", { timeout: SLOW_MS }, () => {
  it("[EX5] is asked to end at its time limit, and killed with grandchildren that ignore that or left its group", async () => {
    const { begin } = rig();
    const code = `trap 'echo bye' TERM
(trap '' TERM; exec sleep 600) &
setsid bash -c "trap '' TERM; sleep 600" >/dev/null 2>&1 &
echo started
wait; wait; sleep 600`;
    const { executionId, ended } = begin({ language: "bash", code, timeoutMs: 700 });
    const report = await ended;
    expect(report).toMatchObject({ status: "timed_out", stdout: "started\nbye\n" });
    expect(report.durationMs).toBeLessThan(8_000);
    expect(marked(executionId)).toEqual([]);
  });

  it("[EX5] is stopped by its id, and another goes on", async () => {
    const { begin, executions } = rig();
    const first = begin({ command: "trap '' TERM; echo up; sleep 600" });
    const second = begin({ command: "sleep 0.5; echo done" });
    await untilTrue("the first to run", () => marked(first.executionId).length > 1);
    executions.stop(first.executionId);
    expect(await first.ended).toMatchObject({ status: "stopped" });
    expect(await second.ended).toMatchObject({ status: "completed", stdout: "done\n" });
    expect(marked(first.executionId)).toEqual([]);
  });

  it("[EX8] leaves nothing behind that it put into the background", async () => {
    const { begin, temporary } = rig();
    const { executionId, ended } = begin({ command: "sleep 600 & sleep 600 >/dev/null 2>&1 </dev/null & echo $!" });
    expect(await ended).toMatchObject({ status: "completed", exitCode: 0 });
    expect(marked(executionId)).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it("tells a program that kills itself from one that fails", async () => {
    const { run } = rig();
    expect(await run({ command: "kill -9 $$" })).toMatchObject({ status: "failed", exitCode: null, signal: "SIGKILL" });
    expect(await run({ language: "python", code: "raise SystemExit(7)" })).toMatchObject({ status: "failed", exitCode: 7, signal: null });
  });

  it("[EX5] holds limits of the system: processor time and memory", async () => {
    const { run } = rig();
    expect(await run({ command: "while :; do :; done", cpuSeconds: 1 })).toMatchObject({ status: "failed", signal: "SIGXCPU" });
    const hungry = await run({ language: "python", code: "x = bytearray(400 * 1024 * 1024); print('had it')", memoryMb: 128 });
    expect(hungry).toMatchObject({ status: "failed", stdout: "" });
    expect(hungry.stderr).toContain("MemoryError");
  });

  it.runIf(process.getuid?.() === 0)("[EX5][EX8] runs as another user, whose processes are limited", async () => {
    const uid = 61_234;
    const root = folder();
    execFileSync("chown", ["-R", `${uid}:${uid}`, root]);
    const launcher = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--no-new-privs", "--"];
    const account = { launcher, environment: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: root } };
    const { begin, run, temporary } = rig({ account, root });
    expect(await run({ command: "id -u; touch mine" })).toMatchObject({
      stdout: `${uid}\n`,
      filesChanged: [{ path: "mine", status: "added" }],
    });
    // What a request sets reaches the program after the rights are gone.
    const preload = await run({ command: "id -u", env: { LD_PRELOAD: "/nonexistent.so", GREETING: "a b\n'c'" } });
    expect(preload.stdout).toBe(`${uid}\n`);
    const forks = "my $n = 0; while ($n < 300) { my $p = fork; last unless defined $p; if (!$p) { sleep 60; exit } $n++ } print $n";
    const { executionId, ended } = begin({ command: `perl -e '${forks}'`, processes: 40 });
    const { stdout } = await ended;
    expect(Number(stdout)).toBeGreaterThan(20);
    expect(Number(stdout)).toBeLessThan(60);
    expect(marked(executionId)).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe("what it says", { timeout: SLOW_MS }, () => {
  it("[EX6] keeps the beginning of a flood, counts the rest, and needs no memory for it", async () => {
    const { run, frames } = rig();
    const before = process.memoryUsage().rss;
    const report = await run({ command: "yes 0123456789 | head -c 100000000; echo end >&2", outputBytes: 1_000, timeoutMs: 60_000 });
    expect(report).toMatchObject({ status: "completed", stderr: "end\n", omittedBytes: 100_000_000 - 1_000 });
    expect(report.stdout).toHaveLength(1_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(120_000_000);
    expect(frames.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThan(9_000_000);
  });

  it("[EX6] makes valid text of any bytes, and its report fits into one frame", async () => {
    const { run } = rig();
    expect(await run({ command: "printf 'a\\xff\\xe2\\x82'" })).toMatchObject({ stdout: "a\ufffd\ufffd" });
    const zeros = await run({ command: "head -c 400000 /dev/zero; head -c 400000 /dev/zero >&2", outputBytes: 200_000 });
    const item = outboxItemSchema.parse({ rseq: 1, at: 1, thread: "main", turnId: null, body: zeros });
    expect(Buffer.byteLength(JSON.stringify({ type: "emit", items: [item] }))).toBeLessThan(MAX_FRAME_BYTES);
    expect(zeros.stdout.length + zeros.stderr.length + zeros.omittedBytes).toBe(800_000);
  });

  it("[EX6] streams text as it comes, whole where it is not a flood, and never half a character", async () => {
    const { run, frames } = rig();
    const report = await run({
      language: "python",
      code: "import time\nfor n in range(3):\n  print('🙂' * 20000, flush=True)\n  time.sleep(0.1)\nprint('é', end='')",
    });
    const text = frames
      .filter(({ stream }) => stream === "stdout")
      .reduce((sum, piece) => {
        expect(piece.offset).toBe(sum.length);
        expect(piece.text.isWellFormed()).toBe(true);
        return sum + piece.text;
      }, "");
    expect(frames.length).toBeGreaterThan(3);
    expect(text).toBe(`${`${"🙂".repeat(20_000)}\n`.repeat(3)}é`);
    expect(text.startsWith(report.stdout)).toBe(true);
  });
});

describe("what it sees", { timeout: SLOW_MS }, () => {
  it("[EX8] has nothing of ours in its environment, and what the request adds", async () => {
    const planted = {
      AIDEV_LINK_TOKEN: "adpl_CANARY",
      ANTHROPIC_AUTH_TOKEN: "adpm_CANARY",
      ANTHROPIC_API_KEY: "sk-ant-CANARY",
      SECRET_OF_OURS: "CANARY",
    };
    Object.assign(process.env, planted);
    cleanups.push(() => {
      for (const name of Object.keys(planted)) delete process.env[name];
    });
    const { run } = rig();
    const { stdout } = await run({
      command: "env; cat /proc/self/environ; cat /proc/self/cmdline",
      env: { MINE: 'it\'s "mine"\n$HOME', PATH: "/usr/bin:/bin" },
    });
    expect(stdout).not.toContain("CANARY");
    expect(stdout).toContain('MINE=it\'s "mine"\n$HOME');
    expect(stdout).toContain("PATH=/usr/bin:/bin\n");
  });
});

describe("files", { timeout: SLOW_MS }, () => {
  it("[EX6][EX7] writes them inside, and names what differs afterwards", async () => {
    const { root, run } = rig();
    writeFileSync(path.join(root, "old.txt"), "old");
    writeFileSync(path.join(root, "gone.txt"), "gone");
    const report = await run({ command: "cat src/in.txt >out.txt; echo new >old.txt; rm gone.txt", files: { "src/in.txt": "in\n" } });
    expect(report.filesChanged.map(({ path: name, status }) => [name, status])).toEqual([
      ["gone.txt", "deleted"],
      ["old.txt", "modified"],
      ["out.txt", "added"],
      ["src/in.txt", "added"],
    ]);
    expect(readFileSync(path.join(root, "out.txt"), "utf8")).toBe("in\n");
    expect(await run({ files: { "only.txt": "x" } })).toMatchObject({ status: "completed", filesChanged: [{ path: "only.txt" }] });
  });

  it("[EX7] refuses paths that leave, links and Git's own folder, and writes none of the others", async () => {
    const outside = folder();
    const { root, run } = rig();
    writeFileSync(path.join(outside, "target"), "safe");
    symlinkSync(outside, path.join(root, "link"));
    symlinkSync(path.join(outside, "target"), path.join(root, "file-link"));
    execFileSync("mkfifo", [path.join(root, "fifo")]);
    execFileSync("ln", [path.join(outside, "target"), path.join(root, "hard")]);
    for (const bad of [
      "../x",
      "/etc/x",
      "a/../../x",
      ".git/hooks/pre-commit",
      ".GIT/config",
      "link/x",
      "link/target",
      "file-link",
      "fifo",
      "hard",
      "a\\..\\x",
      "",
      "x\0y",
      ".",
    ])
      expect(await run({ command: "echo ran", files: { "good.txt": "g", [bad]: "evil" } }), bad).toMatchObject({
        status: "failed",
        stdout: "",
        problem: { code: "execution_files_refused" },
      });
    expect(existsSync(path.join(root, "good.txt"))).toBe(false);
    expect([readdirSync(outside), readFileSync(path.join(outside, "target"), "utf8")]).toEqual([["target"], "safe"]);
  });
});
