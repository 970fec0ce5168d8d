/** `npm test`: every check and every test, in order, with one closing line that counts them. */
import { build } from "../start/server.ts";
import { ensureChromium } from "./chromium.ts";
import { CHECKS, countTests, RUNTIME_TESTS, runStep, type StepResult } from "./steps.ts";

const wanted = process.argv.slice(2);
const isWanted = (name: string) => wanted.length === 0 || wanted.some((word) => name.includes(word));

const browser = ensureChromium();
if (!browser.ok && isWanted("browser tests")) {
  console.error(browser.message);
  process.exit(1);
}
const results: StepResult[] = [];
const show = (text: string) => process.stdout.write(text);
for (const step of CHECKS.filter((step) => isWanted(step.name))) {
  console.log(`\n== ${step.name}`);
  results.push(await runStep(step, show));
}
build();
for (const step of RUNTIME_TESTS.filter((step) => isWanted(step.name))) {
  console.log(`\n== ${step.name}`);
  results.push(await runStep({ ...step, env: browser.ok ? { CHROMIUM_PATH: browser.path } : {} }, show));
}

const totals = { passed: 0, failed: 0, skipped: 0 };
console.log("\n== summary");
for (const result of results) {
  const counts = countTests(result.output);
  for (const kind of ["passed", "failed", "skipped"] as const) totals[kind] += counts[kind];
  console.log(`${result.ok ? "ok  " : "FAIL"} ${result.name} (${result.seconds.toFixed(1)} s)`);
}
const isGreen = results.every((result) => result.ok);
if (!isGreen && totals.failed === 0) totals.failed = 1;
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = isGreen && totals.passed > 0 ? 0 : 1;
