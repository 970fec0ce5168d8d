/** `npm run deploy`: puts the platform on a Cloudflare account. */
import path from "node:path";
import { buildForUpload } from "../build-web/build.ts";
import { root, StartError, toolEnvironment } from "../start/server.ts";
import { deploy } from "./deploy.ts";
import type { DockerState } from "./plan.ts";
import { runTool, type Wrangler } from "./wrangler.ts";

const environment = toolEnvironment();
const wranglerProgram = path.join(root, "node_modules/wrangler/bin/wrangler.js");
const wrangler: Wrangler = (args, options) =>
  runTool([process.execPath, wranglerProgram, ...args], { cwd: root, ...options, env: environment });

async function docker(): Promise<DockerState> {
  const program = process.env["WRANGLER_DOCKER_BIN"] ?? "docker";
  if ((await runTool([program, "info"], { env: environment })).ok) return "ready";
  return (await runTool([program, "--version"], { env: environment })).ok ? "stopped" : "missing";
}

try {
  process.exitCode = await deploy(process.argv.slice(2), {
    root,
    environment: process.env,
    wrangler,
    docker,
    chosenAccount: process.env["CLOUDFLARE_ACCOUNT_ID"] ?? null,
    say: (line) => console.log(line),
    build: buildForUpload,
    now: () => new Date(),
  });
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(`\n${error.message}\n`);
  process.exitCode = 1;
}
