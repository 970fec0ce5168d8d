import { expect, it } from "vitest";
import { AppError } from "../errors.ts";
import { commentOf, eventStream, frameOf } from "./event-stream.ts";

const options = () => {
  const kept: Promise<unknown>[] = [];
  const client = new AbortController();
  return {
    kept,
    client,
    options: {
      signal: client.signal,
      failure: (error: AppError) => frameOf({ event: "error", data: { code: error.code } }),
      waitUntil: (work: Promise<unknown>) => void kept.push(work),
    },
  };
};

it("frames text that looks like a protocol, and asks the source only when the reader does", async () => {
  let asked = 0;
  async function* source() {
    for (const text of ["data: [DONE]\r\n\n", "a\u2028b", "😀"]) {
      asked += 1;
      yield frameOf({ id: asked, event: "live", data: { text } });
    }
  }
  const response = eventStream(source, options().options);
  expect(asked).toBeLessThanOrEqual(1);
  const text = await response.text();
  expect(text).not.toContain("\r");
  const said = text
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => JSON.parse(block.split("\ndata: ")[1] ?? "").text);
  expect(said).toEqual(["data: [DONE]\r\n\n", "a\u2028b", "😀"]);
});

it("pings while the source is silent, and says a failure as the last event", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  async function* source() {
    await promise;
    yield frameOf({ data: 1 });
    throw new AppError("queue_full");
  }
  const response = eventStream(source, { ...options().options, pingMs: 1 });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toBe(": ping\n\n");
  resolve();
  let rest = "";
  for (let step = await reader?.read(); step !== undefined && !step.done; step = await reader?.read()) rest += step.value;
  expect(rest.replaceAll(": ping\n\n", "")).toBe('data: 1\n\nevent: error\ndata: {"code":"queue_full"}\n\n');
});

it("ends the source when the reader goes, and waits for its clean-up", async () => {
  const cleaned: string[] = [];
  const { options: given, kept } = options();
  async function* source(signal: AbortSignal) {
    try {
      yield frameOf({ data: 1 });
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("gone"))));
    } finally {
      cleaned.push("yes");
    }
  }
  const reader = eventStream(source, given).body?.getReader();
  await reader?.read();
  await reader?.cancel();
  await Promise.all(kept);
  expect(cleaned).toEqual(["yes"]);
});

it("ends the source when the request is aborted, also when nobody reads", async () => {
  const { options: given, kept, client } = options();
  let isCleaned = false;
  async function* source(signal: AbortSignal) {
    try {
      yield frameOf({ data: 1 });
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("gone"))));
    } finally {
      isCleaned = true;
    }
  }
  eventStream(source, given);
  client.abort();
  await Promise.all(kept);
  expect(isCleaned).toBe(true);
});

it("keeps a comment on one line", () => {
  expect(commentOf("tool\nBash\r\nx")).toBe(": tool Bash x\n\n");
});
