import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ownLoginEnvironment } from "./environment.ts";
import { OwnTranscripts } from "./own-transcripts.ts";

const [MINE, THEIRS] = ["11111111-aaaa", "22222222-bbbb"];

let scratch: string;
let theirs: string;
let claudeDir: string;
const kept = (): string[] =>
  readdirSync(claudeDir, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("l") || name.endsWith("txt"))
    .toSorted();
const open = (...ids: string[]) =>
  new OwnTranscripts({ CLAUDE_CONFIG_DIR: path.join(scratch, "config") }, "/home/mara/site", claudeDir, ids);

beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), "transcripts-"));
  theirs = path.join(scratch, "config", "projects", "-home-mara-site");
  claudeDir = path.join(scratch, "claude");
  mkdirSync(path.join(theirs, MINE, "subagents"), { recursive: true });
  mkdirSync(claudeDir);
  writeFileSync(path.join(scratch, "config", ".credentials.json"), "secret");
  writeFileSync(path.join(theirs, `${MINE}.jsonl`), "one");
  writeFileSync(path.join(theirs, MINE, "subagents", "a.jsonl"), "sub");
  writeFileSync(path.join(theirs, `${THEIRS}.jsonl`), "private");
});
afterEach(() => rmSync(scratch, { recursive: true }));

describe("[LP4] conversations in the owner's own folder", () => {
  it("are kept by their ids, without others of theirs, and only as plain files", async () => {
    symlinkSync(path.join(scratch, "config", ".credentials.json"), path.join(theirs, MINE, "link.txt"));
    const transcripts = open();
    await transcripts.keep();
    expect(kept()).toEqual([]);
    transcripts.note(MINE);
    transcripts.note("../../../etc");
    await transcripts.keep();
    expect(kept()).toEqual([`projects/session/${MINE}.jsonl`, `projects/session/${MINE}/subagents/a.jsonl`]);
  });

  it("are handed over where they are missing or older, and never over newer ones", async () => {
    const from = path.join(claudeDir, "projects", "session");
    mkdirSync(from, { recursive: true });
    writeFileSync(path.join(from, `${MINE}.jsonl`), "restored");
    utimesSync(path.join(from, `${MINE}.jsonl`), 1_000, 1_000);
    await open(MINE).hand();
    expect(readFileSync(path.join(theirs, `${MINE}.jsonl`), "utf8")).toBe("one");
    rmSync(path.join(theirs, `${MINE}.jsonl`));
    await open(MINE).hand();
    expect(readFileSync(path.join(theirs, `${MINE}.jsonl`), "utf8")).toBe("restored");
  });
});

it("[LP4] gives the owner's program no address, key or token, and no folder of ours", () => {
  const env = ownLoginEnvironment({
    PATH: "/bin",
    HOME: "/home/me",
    HTTPS_PROXY: "http://proxy",
    ANTHROPIC_API_KEY: "sk-ant-api03-foreign",
    ANTHROPIC_BASE_URL: "",
    CLAUDE_CODE_OAUTH_TOKEN: "t",
    AWS_SECRET_ACCESS_KEY: "x",
  });
  expect(env).toMatchObject({ PATH: "/bin", HOME: "/home/me", HTTPS_PROXY: "http://proxy" });
  expect(Object.keys(env).filter((name) => /ANTHROPIC|TOKEN|AWS|CONFIG_DIR|PROVIDER/.test(name))).toEqual([]);
});
