/**
 * Runs wrangler, and says in a sentence why it refused. Values go to it through standard input, never as arguments;
 * it is never interactive here: it asks nothing and writes no configuration.
 */
import { spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";

export interface ToolResult {
  ok: boolean;
  stdout: string;
  /** Both streams, without colours: what a person would have seen. */
  output: string;
}

export interface RunOptions {
  cwd?: string;
  input?: string;
}

export type Wrangler = (args: string[], options?: RunOptions) => Promise<ToolResult>;

export function runTool(command: string[], options: RunOptions & { env: NodeJS.ProcessEnv }): Promise<ToolResult> {
  const [program = "", ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: options.cwd, env: options.env, stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
      output += chunk.toString("utf8");
    });
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    const end = (ok: boolean) => resolve({ ok, stdout: stripVTControlCharacters(stdout), output: stripVTControlCharacters(output) });
    child.on("error", (error) => {
      output += error.message;
      end(false);
    });
    child.on("close", (code) => end(code === 0));
    // A tool that ends without reading its input is judged by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}

const REASONS: [RegExp, string][] = [
  [
    /Unable to resolve Cloudflare's API|ENOTFOUND|ECONNREFUSED|fetch failed|EAI_AGAIN/i,
    "Cloudflare could not be reached. Check this computer's network and run this again.",
  ],
  [
    /enable R2|\b10042\b/i,
    "R2 is not enabled for this account. Enable it once at dash.cloudflare.com, R2 (it has a free tier), then run this again.",
  ],
  [
    /register a workers\.dev subdomain|\b10063\b/i,
    "This account has no workers.dev subdomain yet. Open dash.cloudflare.com, Workers & Pages, once; it makes one. Then run this again.",
  ],
  [
    /CLOUDFLARE_API_TOKEN environment variable|not authenticated|not logged in|\b9109\b/i,
    "You are not signed in to Cloudflare. Run npx wrangler login, or set CLOUDFLARE_API_TOKEN, then run this again.",
  ],
  [
    /Authentication error|\bcode: 10000\b|Forbidden|Unauthorized|\b403\b/i,
    "Cloudflare refused this for want of a permission. Sign in again (npx wrangler login), or give the token Edit rights on Workers Scripts, D1, R2, Containers and Pages, then run this again.",
  ],
  [
    /docker (?:CLI|daemon|build|engine)|Docker API/i,
    "Docker could not build the sandbox image. Start Docker and run this again, or deploy without sandboxes: npm run deploy -- --no-sandbox",
  ],
  [
    /zone.*not (?:found|belong)|could not find zone|\b10082\b/i,
    "The host given with --domain is in no zone of this account. Add the domain at dash.cloudflare.com first, or leave --domain out.",
  ],
];
const SHOWN_LINES = 15;

/** The known reason, if there is one, and what the tool itself said last. */
export function explain(output: string): string {
  const reason = REASONS.find(([pattern]) => pattern.test(output))?.[1];
  const said = output
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line.trim() !== "" && !line.includes("Logs were written to"))
    .slice(-SHOWN_LINES)
    .join("\n");
  return [reason, said === "" ? "wrangler said nothing." : `wrangler said:\n${said}`].filter((part) => part !== undefined).join("\n");
}
