/**
 * The packaged program's whole platform: started by `ai-dev-agent desktop` (agent/src/commands/desktop.ts) with its order as the
 * one word, by a Node that is new enough, when runtime and platform are in place.
 */
import path from "node:path";
import * as z from "zod";
import { runApp } from "../start/app.ts";
import { StartError } from "../start/server.ts";

const orderSchema = z.object({
  dataDir: z.string(),
  port: z.int().nullable(),
  stay: z.boolean(),
  browser: z.string().nullable(),
  machine: z.boolean(),
  runtime: z.string(),
});

const { runtime, ...order } = orderSchema.parse(JSON.parse(process.argv[2] ?? ""));
const installation = {
  folder: runtime,
  wrangler: path.join(runtime, "node_modules/wrangler/bin/wrangler.js"),
  machine: [process.execPath, path.join(import.meta.dirname, "main.js")],
};
process.exitCode = await runApp({ ...order, demo: true, installation }).catch((error: unknown) => {
  if (!(error instanceof StartError)) throw error;
  console.error(`\n${error.message}\n`);
  return 2;
});
// What a library still holds open is nobody's any more.
process.exit();
