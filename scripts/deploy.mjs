import { handOver } from "./bootstrap.mjs";

handOver("scripts/deploy/main.ts");
