/**
 * The projects that are saved: an npm project with real packages, a git checkout of about 10,000 files with its history,
 * and plain trees of a given size. Each has a conversation beside it that grows with every edit. Built from seeds.
 */
import { execFile, execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { line, lines, seeded, transcriptLine, word, type Random } from "./source-text.ts";

const run = promisify(execFile);

/** A folder as the runner keeps it: `workspace` and `claude` in it are what is saved. */
export interface Input {
  name: string;
  stateDir: string;
  workspace: string;
  /** Text files that edits go to. */
  editable: string[];
  random: Random;
  edit(files: number): void;
}

const PACKAGES = {
  react: "19.3.1",
  "react-dom": "19.3.1",
  vite: "8.3.8",
  typescript: "7.0.2",
  "@vitejs/plugin-react": "6.3.0",
  hono: "4.13.19",
  zod: "4.6.7",
  "drizzle-orm": "0.45.4",
  "lucide-react": "1.75.0",
  "@types/react": "19.3.0",
  "@types/node": "24.10.1",
  jose: "6.2.17",
};
/** Large native programs among them. */
const TOOLS = { wrangler: "4.155.0", vitest: "5.1.1" };

export const npmInstall = (folder: string, ...options: string[]): Promise<unknown> =>
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", ...options], {
    cwd: folder,
    maxBuffer: 64 * 1_048_576,
  });

export async function npmProject(root: string, sourceFiles: number, isSmall: boolean): Promise<Input> {
  const input = emptyInput(root, "npm project", 11);
  const manifest = {
    name: "shop",
    version: "1.0.0",
    private: true,
    type: "module",
    dependencies: isSmall ? PACKAGES : { ...PACKAGES, ...TOOLS },
  };
  writeFileSync(path.join(input.workspace, "package.json"), JSON.stringify(manifest, null, 2));
  writeSources(input, "src", sourceFiles);
  await npmInstall(input.workspace);
  return input;
}

export async function gitCheckout(root: string, files: number): Promise<Input> {
  const input = emptyInput(root, "git checkout", 23);
  const git = (...args: string[]) =>
    run("git", ["-c", "gc.auto=0", "-c", "user.name=bench", "-c", "user.email=bench@example.com", ...args], { cwd: input.workspace });
  // As in a repository of many small tests.
  writeSources(input, "packages", files, 60);
  const assets = path.join(input.workspace, "assets");
  mkdirSync(assets);
  for (let commit = 0; commit < 5; commit += 1) {
    // Pictures are most of the bytes of many a history.
    for (let n = 0; n < 60; n += 1) writeFileSync(path.join(assets, `picture-${n}.png`), noise(input.random, 120_000));
    if (commit > 0) for (let n = 0; n < files / 20; n += 1) insertLine(pick(input.editable, input.random), input.random);
    await git("add", "-A");
    await git("commit", "-q", "-m", `${word(input.random)} ${word(input.random)}`);
  }
  await git("gc", "--quiet");
  return input;
}

export function plainTree(root: string, files: number): Input {
  const input = emptyInput(root, `${files} files`, files);
  writeSources(input, "src", files);
  return input;
}

function emptyInput(root: string, name: string, seed: number): Input {
  const stateDir = path.join(root, name.replaceAll(" ", "-"));
  const workspace = path.join(stateDir, "workspace");
  const conversation = path.join(stateDir, "claude", "projects", "-workspace");
  mkdirSync(workspace, { recursive: true });
  mkdirSync(conversation, { recursive: true });
  // As the platform makes a new project.
  execFileSync("git", ["init", "-q", "-b", "main"], { cwd: workspace });
  const transcript = path.join(conversation, "7c9e6679-7425-40de-944b-e07fc1f90ae7.jsonl");
  const random = seeded(seed);
  let step = 0;
  const say = (count: number): void =>
    appendFileSync(transcript, Array.from({ length: count }, () => transcriptLine(random, (step += 1))).join(""));
  say(2_400);
  const editable: string[] = [];
  return {
    name,
    stateDir,
    workspace,
    editable,
    random,
    edit(files) {
      for (let n = 0; n < files; n += 1) insertLine(pick(editable, random), random);
      say(8 + Math.floor(random() * 81));
    },
  };
}

/** Forty files to a folder, three levels; sizes as in source: many small ones, a few long ones. */
function writeSources(input: Input, top: string, files: number, longest = 400): void {
  const { random } = input;
  let folder = "";
  for (let n = 0; n < files; n += 1) {
    if (n % 40 === 0) {
      folder = path.join(input.workspace, top, `${word(random)}-${Math.floor(n / 400)}`, `${word(random)}${n}`);
      mkdirSync(folder, { recursive: true });
    }
    const file = path.join(folder, `${word(random)}-${n}.ts`);
    writeFileSync(file, lines(random, longest / 50 + Math.floor(random() ** 4 * longest)));
    input.editable.push(file);
  }
}

const pick = (files: readonly string[], random: Random): string => files[Math.floor(random() * files.length)] ?? "";

function insertLine(file: string, random: Random): void {
  const all = readFileSync(file, "utf8").split("\n");
  all.splice(Math.floor(all.length / 2), 0, line(random));
  writeFileSync(file, all.join("\n"));
}

function noise(random: Random, bytes: number): Buffer {
  const words = new Uint32Array(bytes / 4);
  for (let n = 0; n < words.length; n += 1) words[n] = random() * 4_294_967_296;
  return Buffer.from(words.buffer);
}
