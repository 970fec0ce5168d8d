/** `wrangler deploy` up to the upload, without an account, a container engine or a network. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { root, toolEnvironment } from "../start/server.ts";

export interface DryRun {
  ok: boolean;
  output: string;
  /** The modules that would be uploaded, without source maps. */
  files: Buffer[];
}

const MODULE = /\.(js|mjs|wasm|bin|txt)$/;

export function bundleForUpload(flags: string[] = []): DryRun {
  const folder = mkdtempSync(path.join(os.tmpdir(), "dry-run-"));
  try {
    const args = [
      "node_modules/wrangler/bin/wrangler.js",
      "deploy",
      "--dry-run",
      "--containers-rollout=none",
      "--outdir",
      folder,
      ...flags,
    ];
    const result = spawnSync(process.execPath, args, { cwd: root, env: toolEnvironment(), encoding: "utf8" });
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => MODULE.test(name));
    return {
      ok: result.status === 0,
      output: `${result.stdout}${result.stderr}`,
      files: names.map((name) => readFileSync(path.join(folder, name))),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
