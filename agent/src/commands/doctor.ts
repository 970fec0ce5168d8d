/** `doctor`: whether this computer has what a runner needs, and what to do where it has not. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { machineSelfBodySchema } from "@ai-dev-platform/protocol/machine-login";
import * as z from "zod";
import { isPackaged, planOwnKit } from "../machine/agent-kit.ts";
import { bundledClaude, findClaude } from "../machine/agent-program.ts";
import { readLogin } from "../machine/login-store.ts";
import { ask } from "../machine/platform-api.ts";
import { answer, paint } from "../output.ts";
import { defineCommand } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { DATA_OPTION, dataDirOf, JSON_OPTION, SERVER_OPTION, serverOf } from "./signed-in.ts";

const run = promisify(execFile);
const VERSION_TIMEOUT_MS = 20_000;
/** The package is plain JavaScript; from its sources, this is the first Node that runs TypeScript as it is. */
const OLDEST_NODE = { packaged: [20, 11], sources: [22, 18] } as const;
/** Beyond this, tokens look expired and logs cannot be compared. */
const MAX_CLOCK_SKEW_MS = 60_000;

interface Check {
  name: string;
  ok: boolean;
  found: string;
  next: string;
}

export const doctor = defineCommand({
  name: "doctor",
  summary: "check what this computer needs to run sessions",
  options: { server: SERVER_OPTION, data: DATA_OPTION, json: JSON_OPTION },
  run: async ({ server, data, json }) => {
    const dataDir = dataDirOf(data);
    const address = serverOf(server, dataDir);
    const sdk = isPackaged() ? planOwnKit(dataDir).kit.sdk : undefined;
    const [git, claude, login, platform] = await Promise.all([
      checkGit(),
      checkClaude(sdk),
      checkClaudeLogin(sdk),
      address === null ? [] : checkServer(address, readLogin(dataDir, address)?.token ?? null),
    ]);
    const checks = [checkNode(process.versions.node, isPackaged()), git, claude, ...login, ...platform];
    const isWell = checks.every((check) => check.ok);
    if (json) answer(JSON.stringify({ ok: isWell, checks }));
    else for (const check of checks) answer(toText(check));
    return isWell ? EXIT.ok : EXIT.user;
  },
});

const toText = ({ name, ok, found, next }: Check): string =>
  `${ok ? paint("good", "ok     ") : paint("bad", "missing")}  ${name}: ${found}${ok ? "" : `\n         ${next}`}`;

export function checkNode(version: string, isPackaged: boolean): Check {
  const oldest = isPackaged ? OLDEST_NODE.packaged : OLDEST_NODE.sources;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const ok = major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
  return { name: "node", ok, found: version, next: `Install Node.js ${oldest.join(".")} or newer; 24 is recommended.` };
}

const checkGit = (): Promise<Check> =>
  checkProgram("git", "git", "Install git. Without it, Git projects cannot be opened and changes are shown roughly.");

async function checkClaude(sdk: string | undefined): Promise<Check> {
  const next = "Install Claude Code: see https://code.claude.com, or run npm install -g @anthropic-ai/claude-code";
  const program = findClaude(process.env, sdk);
  if (program === null) return { name: "claude", ok: false, found: "not found", next };
  const check = await checkProgram("claude", program, next);
  return { ...check, found: `${check.found}${program === bundledClaude(sdk) ? " (with the Agent SDK)" : ` (${program})`}` };
}

const authSchema = z.object({ loggedIn: z.boolean(), authMethod: z.string().optional() });

/** Asks the program itself; what it keeps is its own. A session does not need this sign-in: it may use the stored key. */
async function checkClaudeLogin(sdk: string | undefined): Promise<Check[]> {
  const program = findClaude(process.env, sdk);
  if (program === null) return [];
  const text = await run(program, ["auth", "status"], { timeout: VERSION_TIMEOUT_MS }).then(
    ({ stdout }) => stdout,
    // Not signed in ends with a code of its own, and still says so on its output.
    (error: unknown) => (error instanceof Error && "stdout" in error ? String(error.stdout) : ""),
  );
  const found = readAuth(text);
  return [{ name: "claude's own login", ok: true, found, next: "" }];
}

export function readAuth(text: string): string {
  try {
    const { loggedIn, authMethod } = authSchema.parse(JSON.parse(text));
    return loggedIn ? `signed in (${authMethod ?? "unknown"})` : "not signed in; sessions use your stored key";
  } catch {
    return "not known; this version does not say";
  }
}

async function checkServer(server: string, token: string | null): Promise<Check[]> {
  const told = await ask(server, "/api/config", { schema: z.object({ version: z.string() }) });
  if (!told.ok) return [{ name: "server", ok: false, found: told.message, next: "Check the address and the connection." }];
  const reachable = { name: "server", ok: true, found: `${server} (version ${told.value.version})`, next: "" };
  return [reachable, checkClock(told.serverTime, Date.now()), await checkLogin(server, token)];
}

export function checkClock(serverTime: number | null, now: number): Check {
  if (serverTime === null) return { name: "clock", ok: true, found: "not known", next: "" };
  const skewMs = now - serverTime;
  const ok = Math.abs(skewMs) <= MAX_CLOCK_SKEW_MS;
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  const found = ok ? "fits the server's" : `${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} the server's`;
  return { name: "clock", ok, found, next: "Set this computer's clock, or let it be set by the network." };
}

async function checkLogin(server: string, token: string | null): Promise<Check> {
  const next = `Run ai-dev-agent login --server ${server}`;
  if (token === null) return { name: "login", ok: false, found: "not signed in", next };
  const told = await ask(server, "/machine/self", { token, schema: machineSelfBodySchema });
  if (!told.ok) return { name: "login", ok: false, found: told.message, next };
  return { name: "login", ok: true, found: `${told.value.user.name} (${told.value.user.email})`, next };
}

async function checkProgram(name: string, program: string, next: string): Promise<Check> {
  try {
    const { stdout } = await run(program, ["--version"], { timeout: VERSION_TIMEOUT_MS });
    return { name, ok: true, found: stdout.trim().split("\n")[0] ?? "", next };
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return { name, ok: false, found: isMissing ? "not found" : "does not run", next };
  }
}
