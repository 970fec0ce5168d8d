import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEMO } from "./demo.ts";
import { requestSchema, type ModelRequest } from "./request.ts";
import { select } from "./select.ts";
import { startModelServer, type ModelServer } from "./server.ts";
import { cut, encodeSse, toEvents, toMessage } from "./sse.ts";
import { TEST_SCENARIOS } from "./tests.ts";

const user = (...content: unknown[]) => ({ role: "user", content });
const assistant = (...content: unknown[]) => ({ role: "assistant", content });
const words = (text: string) => ({ type: "text", text });
const use = (id: string, name: string) => ({ type: "tool_use", id, name, input: {} });
const result = (id: string, text: string, isError = false) => ({ type: "tool_result", tool_use_id: id, content: text, is_error: isError });
const reminder = words("<system-reminder>\nBe brief. SCENARIO=edit\n</system-reminder>");
const environment = { role: "system", content: "# Environment\n - Primary working directory: /work tree/a\n - Platform: linux" };

const request = (...messages: unknown[]): ModelRequest =>
  requestSchema.parse({ messages: [environment, ...messages], tools: [{ name: "Bash" }, { name: "Write" }], stream: true });
const choose = (...messages: unknown[]) => {
  const { scenario, stepIndex } = select(request(...messages), TEST_SCENARIOS, DEMO);
  return `${scenario}#${stepIndex}`;
};

describe("the choice of a step", () => {
  it("counts answers since the prompt that a person wrote", () => {
    expect(choose(user(reminder, words("SCENARIO=write-and-bash")))).toBe("write-and-bash#0");
    expect(choose(user(words("SCENARIO=write-and-bash")), assistant(use("1", "Write")), user(result("1", "ok")))).toBe("write-and-bash#1");
  });

  it("finds a new prompt merged with an old tool's result", () => {
    expect(
      choose(
        user(words("SCENARIO=sleep")),
        assistant(use("1", "Bash")),
        user(result("1", "interrupted", true), words("SCENARIO=text-only")),
      ),
    ).toBe("text-only#0");
  });

  it("does not take reminders and interruption notes for prompts", () => {
    expect(
      choose(
        user(words("SCENARIO=sleep")),
        assistant(use("1", "Bash")),
        user(result("1", "ok"), reminder, words("[Request interrupted by user]")),
      ),
    ).toBe("sleep#1");
  });

  it("hears a prompt that steers a running turn", () => {
    const steered = words(
      "<system-reminder>\nThe user sent a new message while you were working:\nSCENARIO=text-only now\n\nIMPORTANT: After completing…</system-reminder>",
    );
    expect(choose(user(words("SCENARIO=sleep")), assistant(use("1", "Bash")), user(result("1", "ok"), steered))).toBe("text-only#0");
  });

  it("goes on with its script when a steering prompt names no other, and says that it heard", () => {
    const steered = {
      role: "system",
      content: "The user sent a new message while you were working:\nAlso be brief.\n\nThis is how Claude Code surfaces messages …",
    };
    const asked = request(user(words("SCENARIO=sleep")), assistant(use("1", "Bash")), user(result("1", "ok")), steered);
    const chosen = select(asked, TEST_SCENARIOS, DEMO);
    expect(`${chosen.scenario}#${chosen.stepIndex}`).toBe("sleep#1");
    expect(chosen.step.blocks.map((block) => (block.type === "text" ? block.text.trim() : ""))).toEqual([
      "Understood: “Also be brief.” I go on.",
      "I waited.",
    ]);
  });

  it("fills in the working directory, blanks included", () => {
    const { step } = select(request(user(words("SCENARIO=write-and-bash"))), TEST_SCENARIOS, DEMO);
    expect(step.blocks[1]).toMatchObject({ name: "Write", input: { file_path: "/work tree/a/hello.py" } });
  });

  it("fills in the working directory of now, after a move", () => {
    const moved = words(" - Primary working directory: /elsewhere (was /work tree/a)");
    const { step } = select(request(user(moved, words("SCENARIO=write-and-bash"))), TEST_SCENARIOS, DEMO);
    expect(step.blocks[1]).toMatchObject({ name: "Write", input: { file_path: "/elsewhere/hello.py" } });
  });

  it("says so when a scenario does not exist", () => expect(choose(user(words("SCENARIO=nope")))).toBe("unknown#0"));
});

describe("the demo conversation", () => {
  const first = user(words("add a demo"));
  const stepOf = (...messages: unknown[]) => select(request(...messages), TEST_SCENARIOS, DEMO).step;

  it("says in its first words that it is scripted", () => {
    expect(stepOf(first).blocks.find((block) => block.type === "text")).toMatchObject({
      text: expect.stringContaining("scripted demo model"),
    });
  });

  it("reads the README that it found, under its own name", () => {
    const step = stepOf(first, assistant(use("1", "Bash")), user(result("1", ".\nReadme.rst\n")));
    expect(step.blocks.at(-1)).toMatchObject({ name: "Read", input: { file_path: "/work tree/a/Readme.rst" } });
  });

  it("writes at once where there is no README, and respects a no", () => {
    const listed = [first, assistant(use("1", "Bash")), user(result("1", "src\n"))];
    expect(stepOf(...listed).blocks.at(-1)).toMatchObject({ name: "Write" });
    const refused = stepOf(...listed, assistant(use("2", "Write")), user(result("2", "no", true)));
    expect(refused.blocks).toEqual([{ type: "text", text: expect.stringContaining("You said no") }]);
  });

  it("remembers the first prompt in the second", () => {
    expect(stepOf(first, assistant(words("done")), user(words("and now?"))).blocks[0]).toMatchObject({
      text: expect.stringContaining("add a demo"),
    });
  });

  it("talks without tools where there are none", () => {
    const step = select(requestSchema.parse({ messages: [first] }), TEST_SCENARIOS, DEMO).step;
    expect(step.blocks).toHaveLength(1);
  });
});

describe("the stream", () => {
  const head = { messageId: "msg_1", model: "m", inputTokens: 3 };
  const blocks = [
    { type: "text" as const, text: "héllo wörld 🎉 and more" },
    { type: "tool_use" as const, name: "Bash", input: { command: "ls" } },
  ];

  it("has an event line, a stop for each block, and tool input only as deltas", () => {
    const events = toEvents(blocks, head);
    expect(events.map((event) => event.event).filter((name) => name !== "content_block_delta")).toEqual([
      "message_start",
      "content_block_start",
      "content_block_stop",
      "content_block_start",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(events.at(-2)?.data).toMatchObject({ delta: { stop_reason: "tool_use" } });
    expect(encodeSse({ event: "ping", data: {}, isDelta: false })).toBe('event: ping\ndata: {"type":"ping"}\n\n');
  });

  it("cuts text into the wanted number of pieces that join to the whole", () => {
    expect(cut("abcdefgh", 4)).toEqual(["ab", "cd", "ef", "gh"]);
    expect(cut("🎉🎉🎉", 3)).toEqual(["🎉", "🎉", "🎉"]);
    expect(cut("", 3)).toEqual([]);
  });

  it("says the same without streaming", () => {
    expect(toMessage(blocks, head)).toMatchObject({
      content: [{ text: "héllo wörld 🎉 and more" }, { name: "Bash", input: { command: "ls" } }],
      stop_reason: "tool_use",
    });
  });
});

describe("the server", () => {
  let server: ModelServer;
  beforeEach(async () => {
    server = await startModelServer({ port: 0 });
  });
  afterEach(() => server.close());

  const ask = (
    body: unknown = { messages: [{ role: "user", content: "SCENARIO=text-only" }], stream: true },
    headers: Record<string, string> = {},
  ) => fetch(`${server.url}/v1/messages?beta=true`, { method: "POST", headers, body: JSON.stringify(body) });

  it("streams, and names each request", async () => {
    const response = await ask();
    expect(response.headers.get("request-id")).toMatch(/^req_/);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(await response.text()).toContain("event: message_stop");
  });

  it("fails as it is told, once each, in order", async () => {
    server.fail({ kind: "http", status: 529, headers: { "retry-after": "0" } });
    await fetch(`${server.url}/__fail`, { method: "POST", body: JSON.stringify([{ kind: "cut", afterDeltas: 1 }, { kind: "sse_error" }]) });
    expect((await ask()).status).toBe(529);
    await expect(ask().then((response) => response.text())).rejects.toThrow();
    expect(await (await ask()).text()).toContain("event: error");
    expect((await ask()).status).toBe(200);
  });

  it("judges keys by what they say", async () => {
    const models = async (key: string) => (await fetch(`${server.url}/v1/models`, { headers: { "x-api-key": key } })).status;
    expect([
      await models("sk-ant-api03-good"),
      await models("sk-ant-api03-revoked"),
      await models("sk-ant-api03-nocredit"),
      await models("other"),
    ]).toEqual([200, 401, 400, 401]);
    expect((await ask(undefined, { authorization: "Bearer sk-ant-api03-nocredit" })).status).toBe(400);
  });

  it("counts tokens, keeps a log, and knows no other paths", async () => {
    const counted = await fetch(`${server.url}/v1/messages/count_tokens`, { method: "POST", body: "{}" });
    expect(await counted.json()).toEqual({ input_tokens: 1 });
    expect((await fetch(`${server.url}/elsewhere`)).status).toBe(404);
    await ask();
    expect(server.requests().map((logged) => `${logged.method} ${logged.path} ${logged.answer}`.trim())).toEqual([
      "POST /v1/messages/count_tokens",
      "GET /elsewhere",
      "POST /v1/messages text-only#0",
    ]);
  });
});
