/** `npm run verify:deployed` against a local platform: what applies there passes, and the rest is named as not applicable. */
import { randomUUID } from "node:crypto";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root, toolEnvironment } from "../../scripts/start/server.ts";
import { runTool } from "../../scripts/deploy/wrangler.ts";
import { startTestPlatform, type TestPlatform } from "../support/node/test-platform.ts";

let platform: TestPlatform;
const who = { email: `${randomUUID()}@example.test`, password: "correct horse battery" };

beforeAll(async () => {
  platform = await startTestPlatform({ demo: true });
  const response = await fetch(`${platform.url}/api/auth/sign-up/email`, {
    method: "POST",
    headers: { origin: platform.url, "content-type": "application/json" },
    body: JSON.stringify({ name: "Mara", ...who }),
  });
  if (!response.ok) throw new Error(await response.text());
});
afterAll(() => platform?.stop());

const verify = (...args: string[]) =>
  runTool([process.execPath, path.join(root, "scripts/verify-deployed/main.ts"), ...args], {
    cwd: root,
    env: { ...toolEnvironment(), AIDEV_EMAIL: who.email, AIDEV_PASSWORD: who.password },
  });

it("passes what a machine host can show and names the rest", async () => {
  const { ok, output } = await verify(platform.url, "--demo", "--starts", "2");
  expect(output).not.toContain("FAIL");
  for (const shown of ["front door", "start on a machine", "key canary in the host", "key canary on the wire", "hibernation", "save"])
    expect(output).toContain(`ok   ${shown}:`);
  for (const elsewhere of ["cold start", "egress closed", "names of the outside", "egress to registries", "sleep and wake", "hydrate"])
    expect(output).toContain(`n/a  ${elsewhere}: not applicable on a machine host`);
  expect(ok).toBe(true);
});

it("says in a sentence who may not sign in and what cannot be reached", async () => {
  const refused = await runTool([process.execPath, path.join(root, "scripts/verify-deployed/main.ts"), platform.url], {
    cwd: root,
    env: { ...toolEnvironment(), AIDEV_EMAIL: who.email, AIDEV_PASSWORD: "not the password" },
  });
  expect(refused).toMatchObject({ ok: false, output: expect.stringContaining("Check AIDEV_EMAIL and AIDEV_PASSWORD") as string });
  expect(await verify("http://127.0.0.1:9")).toMatchObject({
    ok: false,
    output: expect.stringContaining("could not be reached") as string,
  });
});
