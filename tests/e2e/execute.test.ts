/** Running code for a program: the real runner, fresh sessions and one of one's own; files in and out, streams, and nothing left. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ApiTokenCreatedBody } from "@ai-dev-platform/protocol/api/access";
import type { Execution } from "@ai-dev-platform/protocol/api/execute";
import { type Account, signUp } from "../support/node/account.ts";
import { processes } from "../support/node/processes.ts";
import { startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";

let platform: TestPlatform;
let mara: Account;
let token: string;

beforeAll(async () => {
  platform = await startTestPlatform();
  mara = await signUp(platform.url);
  await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
  const scopes = ["execute", "sessions:read", "sessions:write"];
  ({ token } = await mara.json<ApiTokenCreatedBody>("POST", "/api/tokens", { name: "e2e", scopes }));
  await until("the machine", async () => (await execute({ files: { "a.txt": "a" } })).status === 200);
});
afterAll(async () => {
  await platform?.stop();
});

const execute = (body: object, init: RequestInit = {}): Promise<Response> =>
  fetch(`${platform.url}/v1/code/execute`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    ...init,
  });

async function run(body: object): Promise<Execution> {
  const response = await execute(body);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as Execution;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 90_000;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) throw new Error(`${what}: not in time`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const sessionFolders = (): string[] => {
  const folder = path.join(platform.dataDir, "machine", "sessions");
  return existsSync(folder) ? readdirSync(folder) : [];
};
const listed = async (): Promise<number> => (await mara.json<{ sessions: unknown[] }>("GET", "/api/sessions")).sessions.length;
const runners = () => processes().filter(({ args }) => args.includes(platform.dataDir) && /ses_[0-9a-z]{26}/.test(args));

async function nothingIsLeft(): Promise<void> {
  await until("nothing left", async () => (await listed()) === 0 && sessionFolders().length === 0 && runners().length === 0);
}

it("[EX9] runs Python, bash and JavaScript in fresh sessions, with files in and out, and leaves nothing", async () => {
  const python = await run({
    language: "python",
    code: "import sys\nrows = open('data/rows.csv').read().split()\nopen('sum.txt','w').write(str(sum(map(int, rows))))\nprint(sys.stdin.read(), len(rows))",
    files: { "data/rows.csv": "1\n2\n39\n" },
    stdin: "rows:",
  });
  expect(python).toMatchObject({ status: "completed", exit_code: 0, stdout: "rows: 3\n", stderr: "", omitted_bytes: 0, problem: null });
  expect(python.files_changed).toEqual([
    { path: "data/rows.csv", status: "added", additions: 3, deletions: 0 },
    { path: "sum.txt", status: "added", additions: 1, deletions: 0 },
  ]);
  const bash = await run({
    language: "bash",
    code: "echo $GREETING; env | grep -ciE 'token|anthropic|adp[a-z]_'; exit 4",
    env: { GREETING: "hi" },
  });
  expect(bash).toMatchObject({ status: "failed", exit_code: 4, stdout: "hi\n0\n" });
  const script = await run({
    language: "javascript",
    code: "console.log([1,2,3].map(n => n * 2).join()); while (true) {}",
    timeout_ms: 2_000,
  });
  expect(script).toMatchObject({ status: "timed_out", stdout: "2,4,6\n" });
  await nothingIsLeft();
});

it("[EX6] streams what a program says while it runs", async () => {
  const response = await execute({ command: "for n in 1 2 3; do echo line $n; sleep 0.4; done; echo oops >&2", stream: true });
  const events: { event: string; data: Record<string, unknown>; at: number }[] = [];
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    const blocks = (text + decoder.decode(chunk, { stream: true })).split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, event = "", data = "{}"] = /^event: (.+)\ndata: (.+)$/.exec(block) ?? [];
      if (event !== "") events.push({ event, data: JSON.parse(data) as Record<string, unknown>, at: performance.now() });
    }
  }
  const said = (name: string) => events.filter(({ event }) => event === name);
  expect(
    said("stdout")
      .map(({ data }) => data["text"])
      .join(""),
  ).toBe("line 1\nline 2\nline 3\n");
  expect(
    said("stderr")
      .map(({ data }) => data["text"])
      .join(""),
  ).toBe("oops\n");
  expect((said("stdout").at(-1)?.at ?? 0) - (said("stdout")[0]?.at ?? 0)).toBeGreaterThan(500);
  expect(events.at(-1)).toMatchObject({ event: "execution.ended", data: { status: "completed", stdout: "line 1\nline 2\nline 3\n" } });
  await nothingIsLeft();
});

it("[EX9][EX10] ends what runs, with all of it, when its client goes", async () => {
  const mark = `gone-${Date.now()}`;
  const ends = new AbortController();
  const left = execute(
    { command: `setsid bash -c 'exec -a ${mark} sleep 600' & exec -a ${mark} sleep 600`, stream: true },
    { signal: ends.signal },
  );
  const response = await left;
  const running = () => processes().filter(({ args }) => args.startsWith(mark)).length;
  await until("the program", async () => running() === 2);
  ends.abort();
  await response.text().catch(() => undefined);
  await until("its end", async () => running() === 0);
  await nothingIsLeft();
});

it("[EX4] keeps what a program changed in a session of one's own", async () => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const made = await fetch(`${platform.url}/v1/code/session`, { method: "POST", headers, body: JSON.stringify({ host: "machine" }) });
  const { id } = (await made.json()) as { id: string };
  expect(await run({ session_id: id, command: "mkdir -p out && echo made > out/a.txt" })).toMatchObject({
    session_id: id,
    files_changed: [{ path: "out/a.txt", status: "added" }],
  });
  expect(
    await run({
      session_id: id,
      language: "typescript",
      code: "import fs from 'node:fs'; const t: string = fs.readFileSync('out/a.txt', 'utf8'); console.log(t)",
    }),
  ).toMatchObject({
    stdout: "made\n\n",
    files_changed: [],
  });
  const viewer = await mara.view(id);
  await viewer.until("the save", () => viewer.state().saved !== null);
  await viewer.until("both ends", () => viewer.entries.filter(({ event }) => event.type === "execution_ended").length === 2);
  viewer.close();
  expect((await fetch(`${platform.url}/v1/code/session/${id}`, { method: "DELETE", headers })).status).toBe(204);
  await nothingIsLeft();
});
