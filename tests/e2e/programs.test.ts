/** Programs and the real agent: the official client's model `agent`, messages with files, and the socket's exchange. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { ApiScope, ApiTokenCreatedBody } from "@ai-dev-platform/protocol/api/access";
import type { CodeMessage, CodeSession } from "@ai-dev-platform/protocol/api/code";
import type { CodeAnswerFrame } from "@ai-dev-platform/protocol/api/socket";
import { type Account, signUp } from "../support/node/account.ts";
import { startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";

const SCOPES: ApiScope[] = ["chat", "sessions:read", "sessions:write", "approve:edits", "approve:all"];
/** A picture of one pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

let platform: TestPlatform;
let mara: Account;
let token: string;
let client: OpenAI;

beforeAll(async () => {
  platform = await startTestPlatform();
  mara = await signUp(platform.url);
  await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
  ({ token } = await mara.json<ApiTokenCreatedBody>("POST", "/api/tokens", { name: "e2e", scopes: SCOPES }));
  client = new OpenAI({ baseURL: `${platform.url}/v1`, apiKey: token, maxRetries: 0 });
  // Programs' sessions go to the machine once it is there.
  await until(async () =>
    (await mara.json<{ machines: { isOnline: boolean }[] }>("GET", "/api/machines")).machines.some(({ isOnline }) => isOnline),
  );
});
afterAll(() => platform?.stop());

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 100));
}

const workspace = (sessionId: string) => path.join(platform.dataDir, "machine", "sessions", sessionId, "workspace");

async function api<T>(method: string, at: string, body?: unknown): Promise<T> {
  const response = await fetch(`${platform.url}${at}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${at}: ${response.status} ${await response.text()}`);
  return response.json() as never;
}

interface Ended {
  session_id: string;
  outcome: string;
  cost_usd: number;
  files_changed: { path: string; status: string }[];
}
type Metadata = Record<string, string>;

/** One streamed answer: its words, the session, and what the last chunk tells. */
async function ask(content: OpenAI.ChatCompletionContentPart[] | string, more: { metadata?: Metadata; sessionId?: string } = {}) {
  const { metadata, sessionId } = more;
  const { data, response } = await client.chat.completions
    .create(
      {
        model: "agent",
        messages: [{ role: "user", content }],
        stream: true,
        stream_options: { include_usage: true },
        ...(metadata === undefined ? {} : { metadata }),
      },
      sessionId === undefined ? {} : { headers: { "x-session-id": sessionId } },
    )
    .withResponse();
  let text = "";
  let ended: Ended | null = null;
  let tokens = 0;
  for await (const chunk of data as AsyncIterable<OpenAI.ChatCompletionChunk & { metadata?: Ended }>) {
    text += chunk.choices[0]?.delta.content ?? "";
    ended = chunk.metadata ?? ended;
    tokens = chunk.usage?.total_tokens ?? tokens;
  }
  if (ended === null) throw new Error("the answer has no end");
  return { text, ended, tokens, sessionId: response.headers.get("x-session-id") ?? "" };
}

describe("the model agent", () => {
  it("[CA25] [CA28] edits as the policy allows, tells what it changed, and remembers", async () => {
    const first = await ask("SCENARIO=write-and-bash please", { metadata: { approvals: "accept_edits", tool_progress: "text" } });
    expect(first.ended).toMatchObject({ session_id: first.sessionId, outcome: "completed" });
    expect(first.ended.files_changed).toMatchObject([{ path: "hello.py", status: "added" }]);
    expect(first.ended.cost_usd).toBeGreaterThan(0);
    expect(first.tokens).toBeGreaterThan(0);
    expect(first.text).toContain("I'll write hello.py.");
    expect(first.text).toContain("> Write: ");
    expect(readFileSync(path.join(workspace(first.sessionId), "hello.py"), "utf8")).toBe('print("hello")\n');
    // The command was no edit.
    expect(existsSync(path.join(workspace(first.sessionId), "out.txt"))).toBe(false);
    const second = await ask("SCENARIO=memory what did I say?", { sessionId: first.sessionId });
    expect(second.sessionId).toBe(first.sessionId);
    expect(second.text).toContain("I remember 1 earlier prompts");
    expect(second.ended.files_changed).toEqual([]);
  });

  it("[CA4] denies by default, and runs commands where all is allowed", async () => {
    const denied = await ask("SCENARIO=write-and-bash");
    expect(denied.ended).toMatchObject({ outcome: "completed", files_changed: [] });
    expect(existsSync(path.join(workspace(denied.sessionId), "hello.py"))).toBe(false);
    const all = await ask("SCENARIO=write-and-bash", { sessionId: denied.sessionId, metadata: { approvals: "all" } });
    expect(all.ended.files_changed.map((file) => file.path).toSorted()).toEqual(["hello.py", "out.txt"]);
  });

  it("[CA26] stops its turn when the client aborts", async () => {
    const abort = new AbortController();
    const { data, response } = await client.chat.completions
      .create(
        { model: "agent", messages: [{ role: "user", content: "SCENARIO=sleep(300)" }], stream: true, metadata: { approvals: "all" } },
        { signal: abort.signal },
      )
      .withResponse();
    const id = response.headers.get("x-session-id") ?? "";
    for await (const chunk of data) if ((chunk.choices[0]?.delta.content ?? "") !== "") break;
    abort.abort();
    await until(async () => (await api<CodeSession>("GET", `/v1/code/session/${id}`)).turn === null);
    expect((await api<CodeSession>("GET", `/v1/code/session/${id}`)).last_turn).toMatchObject({ outcome: "stopped" });
  });

  it("[CA28] finds an image in its workspace", async () => {
    const url = `data:image/png;base64,${PNG}`;
    const { ended, sessionId } = await ask([
      { type: "text", text: "SCENARIO=text-only look at this" },
      { type: "image_url", image_url: { url } },
    ]);
    expect(ended.outcome).toBe("completed");
    const asked = JSON.stringify(platform.model.requests().findLast(({ path: at }) => at === "/v1/messages")?.body);
    const [name = ""] = /\.attachments\/prm_\w+-1\.png/.exec(asked) ?? [];
    expect(readFileSync(path.join(workspace(sessionId), name)).equals(Buffer.from(PNG, "base64"))).toBe(true);
  });
});

describe("messages", () => {
  it("[CA24] bring files along, and are answered when they have ended", async () => {
    const { id } = await api<CodeSession>("POST", "/v1/code/session", { title: "Files" });
    const answer = await api<CodeMessage>("POST", `/v1/code/session/${id}/messages`, {
      content: "SCENARIO=run\n```sh\ncat notes/a.txt > copy.txt\n```",
      files: { "notes/a.txt": "carried\n" },
      approvals: "all",
      wait: true,
    });
    expect(answer).toMatchObject({ status: "ended", outcome: "completed" });
    expect(answer.files_changed.map((file) => file.path)).toContain("copy.txt");
    expect(await api("GET", `/v1/code/session/${id}/files?path=copy.txt`)).toMatchObject({ object: "code.file", text: "carried\n" });
  });
});

describe("the socket", () => {
  it("[WS1] answers a code_request with what it changed", async () => {
    const socket = new WebSocket(`${platform.url.replace("http", "ws")}/v1/code/ws`, ["adp.code.v1", `bearer.${token}`]);
    const frames: CodeAnswerFrame[] = [];
    const ended = new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("open", () => {
        const context = { files: { "src/a.txt": "one\n" } };
        socket.send(
          JSON.stringify({
            type: "code_request",
            id: "1",
            code: "SCENARIO=run\n```sh\ncp src/a.txt b.txt\n```",
            context,
            approvals: "all",
          }),
        );
      });
      socket.on("message", (data) => {
        const frame: CodeAnswerFrame = JSON.parse(String(data));
        frames.push(frame);
        if (frame.type === "code_response" || frame.type === "code_error") resolve();
      });
    });
    await ended;
    expect(frames[0]).toMatchObject({ type: "code_accepted", id: "1" });
    expect(frames.some((frame) => frame.type === "code_progress" && frame.tool === "Bash")).toBe(true);
    expect(frames.some((frame) => frame.type === "code_delta")).toBe(true);
    const last = frames.at(-1);
    expect(last).toMatchObject({ type: "code_response", content: "DONE", outcome: "completed" });
    expect(last?.type === "code_response" ? last.files_changed.map((file) => file.path) : []).toContain("b.txt");
    socket.close();
  });
});
