/**
 * Captures what the real agent program says, for the translation's tests. From the repository's root, with Node 22.18 or newer:
 *
 *   node agent/src/runner/claude/__fixtures__/capture.ts [name …]
 *
 * Runs each conversation of the list against the scripted model and writes <name>.json (messages as they came, with the
 * workspace's path replaced and long lists of names cut) and <name>.md. Look at the difference before committing it.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { remark } from "../../../output.ts";
import { startAgent, type Agent } from "../agent.ts";

interface Capture {
  name: string;
  about: string;
  prompt: string;
  /** Queued at the model before the prompt: how its next answers fail. */
  faults?: unknown[];
  /** Called with every message; may interrupt, or prompt again. */
  during?: (agent: Agent, message: { type?: unknown; subtype?: unknown }, seen: number) => void;
  results?: number;
}

const FIRST = "00000000-0000-4000-8000-000000000001";
const SECOND = "00000000-0000-4000-8000-000000000002";

const CAPTURES: Capture[] = [
  { name: "write-and-bash", about: "Text, a new file, a command, text.", prompt: "SCENARIO=write-and-bash" },
  { name: "edit", about: "A new file and an edit of it.", prompt: "SCENARIO=edit" },
  { name: "thinking", about: "A thought before the text.", prompt: "SCENARIO=thinking" },
  { name: "sub-agent", about: "A sub-agent that writes text.", prompt: "SCENARIO=sub-agent" },
  { name: "demo", about: "The demo conversation: task list, files, commands.", prompt: "Show me what you can do." },
  { name: "failed", about: "The model answers 402.", prompt: "SCENARIO=error(402)" },
  {
    name: "cut",
    about: "The connection to the model is cut in the middle of the text; the agent asks again.",
    prompt: "SCENARIO=long-stream(200)",
    faults: [{ kind: "cut", afterDeltas: 100 }],
  },
  {
    name: "interrupted",
    about: "Stopped in the middle of the text.",
    prompt: "SCENARIO=long-stream(2000)",
    during: (agent, message, seen) => {
      if (message.type === "stream_event" && seen === 4) void agent.interrupt();
    },
  },
  {
    name: "steered",
    about: "A second prompt while a command runs: taken in after it, one result.",
    prompt: "SCENARIO=sleep(1)",
    during: (agent, message, seen) => {
      if (message.type === "assistant" && seen === 1) setTimeout(() => agent.prompt(SECOND, "SCENARIO=text-only"), 300);
    },
  },
];

/** Lists of names that say nothing here and change with every release. */
const CUT_LISTS = new Set(["tools", "slash_commands", "skills", "agents", "plugins", "capabilities", "terminal_slash_commands"]);

const OTHER_TEMPORARY = new RegExp(`${tmpdir()}/[^"\\\\ ]*`, "g");

function tidy(message: unknown, root: string): unknown {
  const text = JSON.stringify(message, (key, value: unknown) => (CUT_LISTS.has(key) && Array.isArray(value) ? [] : value));
  return JSON.parse(text.replaceAll(root, "/workspace").replaceAll(path.dirname(root), "/state").replaceAll(OTHER_TEMPORARY, "/temporary"));
}

async function startModel(): Promise<{ url: string; stop: () => void }> {
  const script = path.join(import.meta.dirname, "../../../../../scripts/demo-model/server.ts");
  const child = spawn(process.execPath, [script, "--port", "0", "--pace", "2"], { stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise<string>((resolve) => {
    child.stdout.on("data", (text: Buffer) => {
      const found = /http:\S+/.exec(String(text))?.[0];
      if (found !== undefined) resolve(found);
    });
  });
  return { url, stop: () => child.kill() };
}

async function capture(one: Capture, modelUrl: string): Promise<void> {
  const stateDir = mkdtempSync(path.join(tmpdir(), "capture-"));
  const root = path.join(stateDir, "workspace");
  mkdirSync(root);
  const messages: unknown[] = [];
  const seen = new Map<string, number>();
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const started = await startAgent({
    root,
    claudeDir: path.join(stateDir, "claude"),
    pidFile: path.join(stateDir, "agent.pid"),
    modelUrl,
    modelToken: "captured",
    mode: "default",
    model: "default",
    trustProject: false,
    mcpServers: [],
    resume: null,
    guidance: null,
    thread: "main",
    sharing: null,
    news: () => null,
    canUseTool: async (_tool, input) => ({ behavior: "allow", updatedInput: input }),
    onMessage: () => undefined,
    onRaw: (raw) => {
      messages.push(tidy(raw, root));
      const message: { type?: unknown; subtype?: unknown } = typeof raw === "object" && raw !== null ? raw : {};
      const count = (seen.get(String(message.type)) ?? 0) + 1;
      seen.set(String(message.type), count);
      if (started.ok) one.during?.(started.agent, message, count);
      if (message.type === "system" && message.subtype === "session_state_changed" && (seen.get("result") ?? 0) >= (one.results ?? 1)) finish();
    },
    onGone: (detail) => {
      remark(`the agent ended: ${detail}`);
      finish();
    },
  });
  if (!started.ok) throw new Error(started.detail);
  if (one.faults !== undefined) await fetch(`${modelUrl}/__fail`, { method: "POST", body: JSON.stringify(one.faults) });
  started.agent.prompt(FIRST, one.prompt);
  await finished;
  await started.agent.close();
  rmSync(stateDir, { recursive: true, force: true });
  writeFileSync(path.join(import.meta.dirname, `${one.name}.json`), `[\n${messages.map((message) => JSON.stringify(message)).join(",\n")}\n]\n`);
  const note = `# ${one.name}\n\n${one.about}\n\nPrompt: \`${one.prompt}\`, agent ${started.agent.info.agentVersion}.\nCapture again: \`node agent/src/runner/claude/__fixtures__/capture.ts ${one.name}\`\n`;
  writeFileSync(path.join(import.meta.dirname, `${one.name}.md`), note);
  remark(`${one.name}: ${messages.length} messages`);
}

const wanted = process.argv.slice(2);
const model = await startModel();
try {
  for (const one of CAPTURES) if (wanted.length === 0 || wanted.includes(one.name)) await capture(one, model.url);
} finally {
  model.stop();
}
