import { handOver } from "./bootstrap.mjs";

handOver("scripts/verify-deployed/main.ts");
