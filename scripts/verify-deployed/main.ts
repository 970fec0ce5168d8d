/** `npm run verify:deployed`: proves on a real deployment what tests on one computer cannot. */
import type { ConfigBody } from "@ai-dev-platform/protocol/http";
import type { HostKind } from "@ai-dev-platform/protocol/modes";
import { type Check, CHECKS, type Setting } from "./checks.ts";
import { openClient, VerifyError, Workbench } from "./client.ts";
import { type Finding, line, summary } from "./figures.ts";
import { parseOptions, type VerifyOptions } from "./options.ts";

async function attempt(check: Check, setting: Setting): Promise<Finding[]> {
  try {
    return await check.run(setting);
  } catch (error) {
    return [{ check: check.name, verdict: "failed", detail: error instanceof Error ? error.message : String(error) }];
  }
}

async function verify(options: VerifyOptions): Promise<Finding[]> {
  const client = await openClient(options.url, options.credentials);
  const config = await client.json<ConfigBody>("GET", "/api/config");
  if (options.demo && !config.demoModel) throw new VerifyError("This deployment has no scripted model. Leave --demo out.");
  const host: HostKind = config.sandbox ? "sandbox" : "machine";
  console.log(
    `${options.url}, version ${config.version}, sessions ${host === "sandbox" ? "in Cloudflare sandboxes" : "on connected machines"}`,
  );
  const bench = new Workbench(client, options.demo);
  const setting: Setting = { client, bench, config, host, scripted: options.demo, starts: options.starts };
  const wanted = CHECKS.filter(({ name }) => options.only.length === 0 || options.only.some((word) => name.includes(word)));
  const findings: Finding[] = [];
  try {
    for (const check of wanted) {
      const found = await attempt(check, setting);
      for (const finding of found) console.log(line(finding));
      findings.push(...found);
    }
  } finally {
    await bench.clear();
  }
  return findings;
}

async function main(): Promise<number> {
  const parsed = parseOptions(process.argv.slice(2), process.env);
  if (!parsed.ok) {
    console.log(parsed.message);
    return parsed.exitCode;
  }
  try {
    const findings = await verify(parsed.options);
    console.log(`\n${summary(findings)}`);
    return findings.length > 0 && findings.every(({ verdict }) => verdict !== "failed") ? 0 : 1;
  } catch (error) {
    const isExpected = error instanceof VerifyError || (error instanceof TypeError && error.message === "fetch failed");
    if (!isExpected) throw error;
    console.error(error instanceof VerifyError ? error.message : `${parsed.options.url} could not be reached.`);
    return 1;
  }
}

process.exitCode = await main();
