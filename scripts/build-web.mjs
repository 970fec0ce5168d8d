// The build command of wrangler.toml: wrangler runs it before it bundles. It runs inside a tool that is installed already,
// and local runs and type generation do not need the pages.
import { handOver } from "./bootstrap.mjs";

const FOR_NOTHING = new Set(["dev", "types"]);
if (!FOR_NOTHING.has(process.env.WRANGLER_COMMAND ?? "")) handOver("scripts/build-web/main.ts", { install: false });
