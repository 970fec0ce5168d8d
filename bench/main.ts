/** `npm run bench -- <name>`: runs one benchmark. */
import process from "node:process";

const BENCHES: Record<string, () => Promise<unknown>> = {
  latency: () => import("./latency.ts"),
  live: () => import("./live.ts"),
  hibernation: () => import("./hibernation.ts"),
  bundle: () => import("./bundle.ts"),
  machine: () => import("./machine.ts"),
  snapshots: () => import("./snapshots.ts"),
  gateway: () => import("./gateway.ts"),
};

const bench = BENCHES[process.argv[2] ?? ""];
if (bench === undefined) console.log(`npm run bench -- ${Object.keys(BENCHES).join(" | ")}`);
else await bench();
