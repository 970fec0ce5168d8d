import { execFile } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { appendAudit, readAudit } from "./audit.ts";

let folder: string;
const file = (): string => path.join(folder, "audit.jsonl");
const write = (...kinds: string[]): void => kinds.forEach((kind) => appendAudit(folder, { kind }));

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "audit-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the audit log", () => {
  it("[LP1] chains its lines, and keeps them from others' eyes", () => {
    appendAudit(folder, { kind: "runner_started", fields: { sessionId: "ses_x", incarnation: 3 } });
    write("runner_ended");
    const { lines, verdict } = readAudit(folder);
    expect(verdict).toEqual({ ok: true });
    expect(lines.map(({ n, kind, fields }) => ({ n, kind, fields }))).toEqual([
      { n: 1, kind: "runner_started", fields: { sessionId: "ses_x", incarnation: 3 } },
      { n: 2, kind: "runner_ended", fields: {} },
    ]);
    expect(lines[1]?.prev).toBe(lines[0]?.hash);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it("[LP1] holds no secret and nothing long", () => {
    appendAudit(folder, { kind: "x", fields: { detail: "sk-ant-api03-abcdefgh adpm_abcdefgh12", long: "y".repeat(5_000) } });
    const text = readFileSync(file(), "utf8");
    expect(text).not.toMatch(/abcdefgh/);
    expect(text.length).toBeLessThan(1_000);
  });

  const tampering: [string, (text: string) => string][] = [
    ["changed", (text) => text.replace('"b"', '"B"')],
    ["removed", (text) => text.split("\n").toSpliced(1, 1).join("\n")],
    [
      "put in twice",
      (text) =>
        text
          .split("\n")
          .toSpliced(1, 0, text.split("\n")[1] ?? "")
          .join("\n"),
    ],
    ["made unreadable", (text) => text.replace('{"n":2', '{"n":')],
    ["cut off", (text) => `${text.split("\n").slice(0, 2).join("\n")}\n`],
    ["all removed", () => ""],
  ];
  for (const [title, tamper] of tampering)
    it(`[LP1] shows a line that was ${title}`, () => {
      write("a", "b", "c");
      writeFileSync(file(), tamper(readFileSync(file(), "utf8")));
      expect(readAudit(folder).verdict).toMatchObject({ ok: false });
    });

  it("goes on after a write that was cut, and says where", () => {
    write("a", "b");
    truncateSync(file(), statSync(file()).size - 20);
    write("c");
    const { lines, verdict } = readAudit(folder);
    expect(lines.map(({ kind }) => kind)).toEqual(["a", "c"]);
    expect(verdict).toMatchObject({ ok: false });
  });

  it("goes on where a process was killed between the line and the note of it", () => {
    write("a");
    const note = readFileSync(path.join(folder, "audit.head.json"), "utf8");
    write("b");
    writeFileSync(path.join(folder, "audit.head.json"), note);
    expect(readAudit(folder).verdict).toEqual({ ok: true });
  });

  it("keeps one chain over files that are rotated, and drops the oldest", () => {
    for (let number = 0; number < 60; number += 1) appendAudit(folder, { kind: `k${number}` }, 1_000);
    const { lines, verdict } = readAudit(folder);
    expect(verdict).toEqual({ ok: true });
    expect(lines.at(-1)).toMatchObject({ n: 60, kind: "k59" });
    expect(lines[0]?.n).toBeGreaterThan(1);
  });

  it("is written by several processes at once without a break", { timeout: 30_000 }, async () => {
    const program = `import { appendAudit } from ${JSON.stringify(path.join(import.meta.dirname, "audit.ts"))};
for (let n = 0; n < 20; n += 1) appendAudit(process.argv[1], { kind: "k", fields: { by: process.pid } });`;
    const run = () => promisify(execFile)(process.execPath, ["--input-type=module", "-e", program, folder]);
    await Promise.all([run(), run(), run()]);
    const { lines, verdict } = readAudit(folder);
    expect(verdict).toEqual({ ok: true });
    expect(lines).toHaveLength(60);
  });

  it("takes over the lock of a process that ended with it", () => {
    writeFileSync(path.join(folder, "audit.lock"), "999999 12345");
    write("a");
    appendFileSync(file(), "");
    expect(readAudit(folder).lines).toHaveLength(1);
  });
});
