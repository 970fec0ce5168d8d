/** The step "budgets": weighs a build of the web app and of the Worker as they would be uploaded. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { buildFrontend, root } from "../start/server.ts";
import { isOver, manifestSchema, MAX_WORKER_KB, report, weighPages } from "./budgets.ts";
import { bundleForUpload } from "./dry-run.ts";

const gzipBytes = (data: Buffer): number => gzipSync(data, { level: 9 }).length;
const client = path.join(root, "dist/client");

buildFrontend();
const manifest = manifestSchema.parse(JSON.parse(readFileSync(path.join(client, ".vite/manifest.json"), "utf8")));
const worker = bundleForUpload(["--minify"]);
if (!worker.ok) {
  console.error(worker.output);
  process.exit(1);
}
const weighed = [
  ...weighPages(manifest, (file) => gzipBytes(readFileSync(path.join(client, file)))),
  { what: "Worker", kb: worker.files.reduce((sum, file) => sum + gzipBytes(file), 0) / 1_024, maxKb: MAX_WORKER_KB },
];
console.log(report(weighed));
process.exitCode = weighed.some(isOver) ? 1 : 0;
