/** `npm run check`: everything that needs no runtime, side by side, in under a minute. */
import { CHECKS, runStep } from "./test/steps.ts";

const results = await Promise.all(CHECKS.map((step) => runStep(step, () => {})));
for (const result of results) {
  console.log(`${result.ok ? "ok  " : "FAIL"} ${result.name} (${result.seconds.toFixed(1)} s)`);
  if (!result.ok) console.log(result.output);
}
process.exitCode = results.every((result) => result.ok) ? 0 : 1;
