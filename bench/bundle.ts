/** The Worker's size as it would be uploaded (aim: 600 KB gzip or less), and the web app's first loads. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build, root, toolEnvironment } from "../scripts/start/server.ts";

build();
const folder = mkdtempSync(path.join(os.tmpdir(), "adp-bundle-"));
execFileSync("wrangler", ["deploy", "--dry-run", "--minify", "--outdir", folder], { cwd: root, env: toolEnvironment(), stdio: "pipe" });
const kilobytes = (data: Buffer) => (gzipSync(data, { level: 9 }).length / 1_024).toFixed(1);
console.log(`Worker bundle: ${kilobytes(readFileSync(path.join(folder, "index.js")))} KB gzip (aim: 600 or less)`);
rmSync(folder, { recursive: true, force: true });
