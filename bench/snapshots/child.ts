/** One save or one restore in a process of its own: its whole duration with Node's start, and its memory above an idle runner's. */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { snapshotRefSchema } from "@ai-dev-platform/protocol/snapshot";
import * as z from "zod";
import { memory, open, save } from "./platform.ts";

const orderSchema = z.object({
  what: z.enum(["save", "restore"]),
  server: z.string(),
  stateDir: z.string(),
  snapshots: z.array(snapshotRefSchema),
});

const order = orderSchema.parse(JSON.parse(process.argv[2] ?? ""));
let workspace = order.what === "save" ? await open(order.server, order.stateDir, order.snapshots) : null;
// The highest so far is of the program's start.
writeFileSync("/proc/self/clear_refs", "5");
const before = memory().now;
workspace ??= await open(order.server, order.stateDir, order.snapshots);
const snapshot = order.what === "save" ? await save(workspace) : null;
process.send?.({ addedBytes: memory().peak - before, snapshot });
process.disconnect();
