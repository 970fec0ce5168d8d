/**
 * The peer of the gateway: `@portkey-ai/gateway` from npm, installed for the bench alone. Its HTTP adapter is held at the oldest that it
 * accepts: with newer ones it answers every stream with 500, as they give it headers that cannot be changed.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import process from "node:process";
import { killGroup } from "./process-cost.ts";

const VERSION = "1.15.2";
const ADAPTER_VERSION = "1.3.3";
const START_TIMEOUT_MS = 20_000;
const CHECK_EVERY_MS = 100;

export interface Portkey {
  url: string;
  pid: number;
  /** To an upstream that speaks Anthropic's dialect. */
  headers: Record<string, string>;
  close(): void;
}

function install(folder: string): string {
  const program = path.join(folder, "node_modules/@portkey-ai/gateway/build/start-server.js");
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const manifest = {
    private: true,
    dependencies: { "@portkey-ai/gateway": VERSION },
    overrides: { "@hono/node-server": ADAPTER_VERSION },
  };
  writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest));
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: folder, stdio: "ignore" });
  return program;
}

export async function startPortkey(folder: string, upstream: string): Promise<Portkey> {
  const program = install(folder);
  const port = await freePort();
  const child = spawn(process.execPath, [program, `--port=${port}`, "--headless"], {
    env: { PATH: process.env["PATH"], TRUSTED_CUSTOM_HOSTS: "127.0.0.1", NODE_ENV: "production" },
    stdio: "ignore",
    detached: true,
  });
  const pid = child.pid ?? 0;
  const close = (): void => killGroup(pid);
  process.once("exit", close);
  const url = `http://127.0.0.1:${port}`;
  await answers(url);
  const headers = { "x-portkey-provider": "anthropic", "x-portkey-custom-host": `${upstream}/v1`, authorization: "Bearer sk-ant-bench" };
  return { url, pid, headers, close };
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = net.createServer();
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

async function answers(url: string): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const response = await fetch(url).catch(() => null);
    if (response !== null) return;
    if (Date.now() > until) throw new Error("Portkey's gateway did not start");
    await new Promise((resolve) => setTimeout(resolve, CHECK_EVERY_MS));
  }
}
