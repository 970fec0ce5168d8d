/**
 * Every example of docs/api.md that is marked to be run (```bash run, ```python run, ```ts run) is, against a real platform with
 * the agent's binary and the scripted model; and a turn's end reaches a webhook, as the page says.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import path from "node:path";
import { promisify } from "node:util";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { ApiTokenCreatedBody } from "@ai-dev-platform/protocol/api/access";
import { API_SCOPES } from "@ai-dev-platform/protocol/api/access";
import { webhookPayloadSchema, type WebhookCreatedBody } from "@ai-dev-platform/protocol/api/webhooks";
import { createClient } from "@ai-dev-platform/protocol/client";
import { type Account, signUp } from "../support/node/account.ts";
import { startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";

const root = path.resolve(import.meta.dirname, "../..");
/** Inside the repository, so that examples find its packages. */
const results = path.join(root, "test-results");
let folder: string;
const run = promisify(execFile);
const LIMIT_MS = 100_000;

interface Example {
  language: string;
  code: string;
  line: number;
}
const text = readFileSync(path.join(root, "docs/api.md"), "utf8");
const examples: Example[] = [...text.matchAll(/^```(bash|python|ts) run\n([\s\S]*?)^```/gm)].map(
  ({ 1: language = "", 2: code = "", index }) => ({
    language,
    code,
    line: text.slice(0, index).split("\n").length,
  }),
);
const hasPython = await run("python3", ["--version"]).then(
  () => true,
  () => false,
);

let platform: TestPlatform;
let mara: Account;
let token: string;

beforeAll(async () => {
  platform = await startTestPlatform();
  mara = await signUp(platform.url);
  await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
  ({ token } = await mara.json<ApiTokenCreatedBody>("POST", "/api/tokens", { name: "docs", scopes: API_SCOPES }));
  // Code is refused while there is nothing that could run it.
  const machines = () => mara.json<{ machines: { isOnline: boolean }[] }>("GET", "/api/machines");
  await vi.waitUntil(async () => (await machines()).machines.some(({ isOnline }) => isOnline), { timeout: LIMIT_MS });
  mkdirSync(results, { recursive: true });
  folder = mkdtempSync(path.join(results, "api-docs-"));
});
afterAll(async () => {
  await platform?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** What it printed; an exit that is not 0 is an error with what it complained of. */
async function runExample({ language, code, line }: Example): Promise<string> {
  const file = path.join(folder, `line-${line}.${language === "ts" ? "ts" : language === "python" ? "py" : "sh"}`);
  writeFileSync(file, code);
  const [command = "", ...args] = { bash: ["bash", "-euo", "pipefail"], python: ["python3"], ts: [process.execPath] }[language] ?? [];
  const env = { ...process.env, BASE: platform.url, TOKEN: token };
  return (await run(command, [...args, file], { env, cwd: root, timeout: LIMIT_MS })).stdout;
}

describe("an example of docs/api.md", () => {
  it("is there in each language", () => {
    for (const language of ["bash", "python", "ts"]) expect(examples.filter((one) => one.language === language)).not.toEqual([]);
  });

  for (const example of examples) {
    it.skipIf(example.language === "python" && !hasPython)(
      `runs: line ${example.line}, ${example.language}`,
      async () => {
        const printed = await runExample(example);
        expect(printed.trim()).not.toBe("");
        expect(printed).not.toContain('"error"');
      },
      LIMIT_MS,
    );
  }
});

describe("a webhook", () => {
  let receiver: Server;
  const received: { headers: Record<string, string>; body: string }[] = [];
  const listen = () =>
    new Promise<string>((resolve) => {
      receiver = createServer((request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => {
          received.push({ headers: request.headers as Record<string, string>, body });
          // The first attempt fails: it comes again.
          response.writeHead(received.length === 1 ? 500 : 204).end();
        });
      });
      receiver.listen(0, "127.0.0.1", () => {
        const address = receiver.address();
        resolve(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/hook`);
      });
    });
  afterAll(() => receiver?.close());

  it(
    "[WH4] is told of a turn's end by a real platform, signed, until it takes it",
    async () => {
      const { secret } = await mara.json<WebhookCreatedBody>("POST", "/api/webhooks", { url: await listen(), events: ["turn.ended"] });
      const client = createClient({ baseUrl: platform.url, token });
      const session = await client.sessions.create({});
      const message = await client.messages.send(session.id, { content: "SCENARIO=text-only", wait: true });
      expect(message).toMatchObject({ status: "ended", outcome: "completed" });
      await expect.poll(() => received.length, { timeout: 30_000 }).toBe(2);
      const payloads = received.map(({ body, headers }) => webhookPayloadSchema.parse(new Webhook(secret).verify(body, headers)));
      expect(payloads[1]).toMatchObject({
        type: "turn.ended",
        data: { session_id: session.id, message_id: message.id, outcome: "completed" },
      });
      expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    },
    LIMIT_MS,
  );
});
