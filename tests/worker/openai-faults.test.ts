import { env } from "cloudflare:workers";
import OpenAI from "openai";
import { beforeAll, describe, expect, it } from "vitest";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import {
  newProgram,
  programOf,
  sse,
  storyOf,
  streamed,
  textBlock,
  textDelta,
  until,
  USAGE,
  USAGE_USD,
  withProvider,
  type Program,
} from "../support/worker/programs.ts";

let program: Program;
beforeAll(async () => {
  program = await newProgram();
});

const CHAT = "/v1/chat/completions";
const hi = { model: "claude-sonnet-5", messages: [{ role: "user" as const, content: "hi" }] };
const failure = (status: number, type: string, message: string, headers: Record<string, string> = {}) =>
  Response.json({ type: "error", error: { type, message } }, { status, headers });

/** What the official client throws. */
async function thrown(work: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await work.then(
    () => null,
    (problem: unknown) => problem,
  );
  expect(error).toBeInstanceOf(OpenAI.APIError);
  return error as InstanceType<typeof OpenAI.APIError>;
}

describe("the provider's refusals", () => {
  it.each([
    ["a limit", () => failure(429, "rate_limit_error", "slow"), OpenAI.RateLimitError, 429, "rate_limit_exceeded"],
    ["an overload", () => failure(529, "overloaded_error", "Overloaded"), OpenAI.InternalServerError, 503, "unavailable"],
    ["its own fault", () => failure(500, "api_error", "Internal server error"), OpenAI.InternalServerError, 502, "upstream_unreachable"],
    ["what is no answer", () => new Response("<html>", { status: 502 }), OpenAI.InternalServerError, 502, "upstream_unreachable"],
    [
      "a redirect",
      () => new Response(null, { status: 302, headers: { location: "https://evil.test" } }),
      OpenAI.InternalServerError,
      502,
      "upstream_unreachable",
    ],
    [
      "a wrong value",
      () => failure(400, "invalid_request_error", "max_tokens: 300000 > 128000"),
      OpenAI.BadRequestError,
      400,
      "bad_request",
    ],
    [
      "too long a prompt",
      () => failure(400, "invalid_request_error", "prompt is too long: 2 tokens > 1 maximum"),
      OpenAI.BadRequestError,
      400,
      "context_length_exceeded",
    ],
    ["an unknown model", () => failure(404, "not_found_error", "model: claude-9"), OpenAI.NotFoundError, 404, "model_not_found"],
    ["too large a body", () => failure(413, "request_too_large", "x"), OpenAI.APIError, 413, "too_large"],
    ["an answer that is none", () => Response.json({ hello: 1 }), OpenAI.InternalServerError, 502, "upstream_unreachable"],
  ] as const)("[OA5] of %s becomes what the client knows", async (_, answer, kind, status, code) => {
    const error = await withProvider(
      () => answer(),
      () => thrown(program.openai().chat.completions.create(hi)),
    );
    expect(error).toBeInstanceOf(kind);
    expect([error.status, error.code]).toEqual([status, code]);
    expect(error.requestID).toMatch(/^req_/);
  });

  it("[OA5] repeats no key that a provider repeats", async () => {
    const error = await withProvider(
      () => failure(400, "invalid_request_error", "bad key sk-ant-api03-SECRETSECRET in header"),
      () => thrown(program.openai().chat.completions.create(hi)),
    );
    expect(error.message).not.toContain("SECRET");
  });

  it.each([
    ["revoked", "key_invalid", "refused"],
    ["nocredit", "key_no_credit", "no_credit"],
  ])("[OA5] of a %s key marks it and asks for no retry", async (marker, code, status) => {
    const poor = await newProgram({ marker });
    let calls = 0;
    const client = poor.openai({
      maxRetries: 2,
      fetch: (input, init) => {
        calls += 1;
        return poor.fetch(new URL(String(input)).pathname, init);
      },
    });
    const error = await thrown(client.chat.completions.create(hi));
    expect([error.status, error.code, calls]).toEqual([422, code, 1]);
    const keyStatus = async () => (await poor.owner.json<{ keys: KeyBody[] }>("GET", "/api/keys")).keys[0]?.status;
    await until(async () => (await keyStatus()) === status);
    expect(await poor.spentUsd()).toBe(0);
  });

  it("[OA5] without a stored key says so, and asks for no retry", async () => {
    const poor = await newProgram({ marker: null });
    const error = await thrown(poor.openai({ maxRetries: 2 }).chat.completions.create(hi));
    expect([error.status, error.code, error.headers?.get("x-should-retry")]).toEqual([409, "key_missing", "false"]);
  });

  it("[OA5] that pass are tried again by the client after the time that was named", async () => {
    let calls = 0;
    const startedAt = Date.now();
    const answer = await withProvider(
      () => {
        calls += 1;
        return calls === 1 ? failure(429, "rate_limit_error", "slow", { "retry-after": "1" }) : streamed(sse(storyOf(textBlock("There."))));
      },
      () => program.openai({ maxRetries: 2 }).chat.completions.stream(hi).finalContent(),
    );
    expect([answer, calls]).toEqual(["There.", 2]);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(900);
  });
});

const OVERLOADED = { type: "error", error: { type: "overloaded_error", message: "x" } };

describe("an answer that breaks off", () => {
  const start = storyOf([])[0] ?? { type: "" };

  it.each([
    ["with an error of the provider", sse([start, ...textBlock("Half")]) + sse([OVERLOADED]), "unavailable"],
    ["without a word", sse([start, ...textBlock("Half")]), "upstream_unreachable"],
    ["in the middle of an event", sse([start, ...textBlock("Half")]) + 'data: {"type":"mess', "upstream_unreachable"],
  ])("[OA5] %s ends with an error for the client, and is settled", async (_, text, code) => {
    const paying = await newProgram();
    let said = "";
    const error = await withProvider(
      () => streamed(text),
      async () => {
        const stream = await paying.openai().chat.completions.create({ ...hi, stream: true });
        return thrown(
          (async () => {
            for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? "";
          })(),
        );
      },
    );
    expect([said, error.code]).toEqual(["Half", code]);
    await until(async () => (await paying.spentUsd()) > 0);
  });

  it("[OA5] because the connection broke ends with an error too", async () => {
    const error = await withProvider(
      () => {
        const pieces = [new TextEncoder().encode(sse([start, ...textBlock("Half")]))];
        return streamed(
          new ReadableStream({
            pull(controller) {
              const piece = pieces.shift();
              if (piece === undefined) controller.error(new Error("reset"));
              else controller.enqueue(piece);
            },
          }),
        );
      },
      async () => thrown(program.openai().chat.completions.stream(hi).finalContent()),
    );
    expect(error.code).toBe("upstream_unreachable");
  });

  it("[OA5] before it begins is a plain error", async () => {
    const error = await withProvider(
      () => Promise.reject(new Error("connection refused")),
      () => thrown(program.openai().chat.completions.create({ ...hi, stream: true })),
    );
    expect([error.status, error.code]).toEqual([502, "upstream_unreachable"]);
  });
});

/** An answer that never ends; tells when it was cancelled. */
function endless(onCancel: () => void): Response {
  const [start = { type: "" }] = storyOf([]);
  let said = 0;
  return streamed(
    new ReadableStream(
      {
        async pull(controller) {
          if (said > 0) await new Promise((resolve) => setTimeout(resolve, 1));
          controller.enqueue(new TextEncoder().encode(sse(said === 0 ? [start] : [textDelta("x".repeat(40))])));
          said += 1;
        },
        cancel: onCancel,
      },
      { highWaterMark: 0 },
    ),
  );
}
const INPUT_USD = (USAGE.input_tokens * 3 + USAGE.cache_creation_input_tokens * 3.75 + USAGE.cache_read_input_tokens * 0.3) / 1e6;

describe("a client that leaves", () => {
  it("[OA6] in the middle of a stream cancels the provider, and pays what was said", async () => {
    const paying = await newProgram();
    let cancelled = 0;
    await withProvider(
      () => endless(() => void (cancelled += 1)),
      async () => {
        const stream = await paying.openai().chat.completions.create({ ...hi, stream: true });
        let chunks = 0;
        for await (const _ of stream) if ((chunks += 1) === 5) break;
        await until(() => cancelled === 1);
      },
    );
    await until(async () => (await paying.spentUsd()) > 0);
    const spent = await paying.spentUsd();
    expect(spent).toBeGreaterThan(INPUT_USD);
    expect(spent).toBeLessThan(INPUT_USD + 0.01);
  });

  it("[OA6] before the answer aborts the provider's call, and pays its prompt", async () => {
    const paying = await newProgram();
    let aborted = 0;
    await withProvider(
      ({ signal }) =>
        new Promise<Response>((_, reject) => {
          signal.addEventListener("abort", () => {
            aborted += 1;
            reject(new Error("aborted"));
          });
        }),
      async () => {
        const controller = new AbortController();
        const asked = paying.openai().chat.completions.create(hi, { signal: controller.signal });
        setTimeout(() => controller.abort(), 20);
        expect(await thrown(asked)).toBeInstanceOf(OpenAI.APIUserAbortError);
        await until(() => aborted === 1);
      },
    );
    await until(async () => (await paying.spentUsd()) > 0);
    expect(await paying.spentUsd()).toBeLessThan(0.001);
  });

  it("[OA6] a thousand times leaves no call running and nothing held", { timeout: 180_000 }, async () => {
    const programs = await Promise.all(Array.from({ length: 4 }, () => newProgram({ budgetUsd: 1_000 })));
    const count = { opened: 0, cancelled: 0 };
    const leave = async (paying: Program) => {
      const response = await paying.post(CHAT, { ...hi, stream: true });
      if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
      const reader = response.body?.getReader();
      await reader?.read();
      await reader?.cancel();
    };
    await withProvider(
      () => {
        count.opened += 1;
        return endless(() => void (count.cancelled += 1));
      },
      async () => {
        for (let round = 0; round < 25; round += 1)
          await Promise.all(programs.flatMap((one) => Array.from({ length: 10 }, () => leave(one))));
        await until(() => count.cancelled === 1_000);
      },
    );
    expect(count).toEqual({ opened: 1_000, cancelled: 1_000 });
    // Each said its prompt, and the one token that it had begun with.
    const expected = 250 * (INPUT_USD + (1 * 15) / 1e6);
    for (const paying of programs) {
      await until(async () => (await paying.spentUsd()) >= expected - 1e-6);
      const spent = await paying.spentUsd();
      expect(spent).toBeCloseTo(expected, 6);
      // What is left of a budget is all of it but what was spent: nothing of the thousand is held any more.
      const account = env.API_ACCOUNT.getByName(paying.owner.userId);
      const verdict = await account.admit({ tokenId: paying.tokenId, budgetUsd: spent + 1, kind: "chat", estimateUsd: 0 });
      expect(verdict).toMatchObject({ ok: true, remainingUsd: expect.closeTo(1, 6) });
    }
  });
});

describe("the demo model", () => {
  it("[OA1] answers where its user chose it, and costs nothing", async () => {
    const trying = await newProgram({ marker: null });
    await trying.owner.json("PATCH", "/api/settings", { useDemoModel: true });
    expect((await trying.openai().chat.completions.create(hi)).choices[0]?.message.content).toBe("Hello.");
    expect((await trying.openai().models.list()).data.map(({ id, owned_by: owner }) => `${id} ${owner}`)).toContain("claude-sonnet-5 demo");
    expect(await trying.spentUsd()).toBe(0);
  });
});

describe("what a token may do", () => {
  it("[OA1] needs the scope chat", async () => {
    const other = await programOf(program.owner, { scopes: ["sessions:read"] });
    const error = await thrown(other.openai().chat.completions.create(hi));
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(error.code).toBe("scope_missing");
  });

  it("[OA1] is nothing without one, with a wrong one, or with a provider's key", async () => {
    for (const apiKey of ["sk-ant-api03-x", "adp_live_x", "-"]) {
      const error = await thrown(program.openai({ apiKey }).chat.completions.create(hi));
      expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
      expect(error.code).toBe("invalid_api_key");
    }
  });

  it("[OA6] ends with its budget", async () => {
    const poor = await newProgram({ budgetUsd: 0.01 });
    await poor.openai().chat.completions.create(hi);
    await until(async () => (await poor.spentUsd()) > 0);
    expect(await poor.spentUsd()).toBeCloseTo(USAGE_USD, 9);
    await poor.openai().chat.completions.create(hi);
    await until(async () => (await poor.spentUsd()) > 0.01);
    const error = await thrown(poor.openai({ maxRetries: 2 }).chat.completions.create(hi));
    expect([error.status, error.code]).toEqual([402, "insufficient_quota"]);
  });
});

describe("the list of models", () => {
  it("[OA7] is that of the stored key; the agent's with sessions:write", async () => {
    const own = await newProgram({ models: ["claude-sonnet-5", "claude-haiku-4-5"] });
    const ids = async (one: Program) => (await one.openai().models.list()).data.map(({ id }) => id);
    expect(await ids(own)).toEqual(["claude-sonnet-5", "claude-haiku-4-5"]);
    const { projectId } = await own.owner.json<{ projectId: string }>("POST", "/api/projects", { name: "Shop", source: { kind: "empty" } });
    const agent = await programOf(own.owner, { scopes: ["chat", "sessions:write"] });
    expect(await ids(agent)).toEqual(["claude-sonnet-5", "claude-haiku-4-5", "agent", `agent:${projectId}`]);
    expect(await agent.openai().models.retrieve(`agent:${projectId}`)).toMatchObject({ object: "model", owned_by: "agent", name: "Shop" });
    const error = await thrown(own.openai().models.retrieve("gpt-2"));
    expect([error.status, error.code]).toEqual([404, "model_not_found"]);
  });
});
