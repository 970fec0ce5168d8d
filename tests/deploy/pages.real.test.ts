/** The Pages project, as it is uploaded, in front of the real Worker: files from Pages, everything else and sockets from the Worker. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ConfigBody } from "@ai-dev-platform/protocol/http";
import { namesOf, readSourceConfig } from "../../scripts/deploy/config-file.ts";
import { assemblePages } from "../../scripts/deploy/pages-folder.ts";
import { bundleForUpload } from "../../scripts/test/dry-run.ts";
import { type Child, startChild } from "../../scripts/start/child.ts";
import { root, toolEnvironment } from "../../scripts/start/server.ts";
import { signUp } from "../support/node/account.ts";
import { freePort, startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";

let platform: TestPlatform;
let folder: string;
let pages: Child;
let url: string;

async function answers(address: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${address}/api/config`).catch(() => null);
    if (response?.ok === true) return;
    if (pages.process.exitCode !== null) throw new Error(`wrangler pages dev ended: ${pages.lastWords()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

beforeAll(async () => {
  platform = await startTestPlatform({ machine: false });
  folder = mkdtempSync(path.join(os.tmpdir(), "pages-"));
  const source = readSourceConfig(path.join(root, "wrangler.toml"));
  const cwd = assemblePages(root, source, namesOf(source, null), path.join(folder, "project"));
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const program = path.join(root, "node_modules/wrangler/bin/wrangler.js");
  pages = startChild(
    process.execPath,
    [
      program,
      "pages",
      "dev",
      "--ip",
      "127.0.0.1",
      "--port",
      String(port),
      "--inspector-port",
      "0",
      "--persist-to",
      path.join(folder, "state"),
      "--show-interactive-dev-session=false",
    ],
    {
      cwd,
      // The registry is how two local wranglers find each other's Workers.
      env: {
        ...toolEnvironment(),
        WRANGLER_REGISTRY_PATH: path.join(platform.dataDir, "registry"),
        WRANGLER_LOG_PATH: path.join(folder, "logs"),
      },
      logFile: path.join(folder, "pages.log"),
    },
  );
  await answers(url);
});
afterAll(async () => {
  await pages?.stop();
  await platform?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

describe("Pages", () => {
  it("answers with the Worker where the Worker comes first", async () => {
    const body = (await (await fetch(`${url}/api/config`)).json()) as ConfigBody;
    expect(body.version).toMatch(/^\d+\.\d+\.\d+$/);
    const deepLink = await fetch(`${url}/s/ses_unknown`);
    expect(deepLink.status).toBe(200);
    expect(deepLink.headers.get("x-request-id")).not.toBeNull();
    expect(await deepLink.text()).toContain('<div id="root">');
  });

  it("answers with its own files elsewhere, the pages' headers included", async () => {
    const page = await fetch(`${url}/settings`);
    expect(await page.text()).toContain('<div id="root">');
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.headers.get("x-request-id")).toBeNull();
  });

  it("carries sign-up, cookies and a session's socket", async () => {
    const mara = await signUp(url);
    await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
    const session = await mara.createSession({ kind: "empty" });
    const viewer = await mara.view(session.sessionId);
    expect(viewer.state().seq).toBeGreaterThan(0);
    viewer.close();
  });
});

it("wrangler takes the Worker as it stands, containers and all, without an account or an engine", () => {
  const { ok, output, files } = bundleForUpload();
  expect(output).toContain("--dry-run: exiting now");
  expect(ok).toBe(true);
  expect(files.length).toBeGreaterThan(0);
  for (const [, binding = ""] of readFileSync(path.join(root, "wrangler.toml"), "utf8").matchAll(/^(?:name|binding) = "([A-Z_\d]+)"$/gm))
    expect(output).toContain(`env.${binding}`);
});
