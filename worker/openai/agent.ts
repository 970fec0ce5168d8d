/**
 * Chat completions by the coding agent (SPEC CA25–CA29): the conversation is a session, the answer one turn of it. Owns where it
 * runs and when it ends: a client that goes ends its turn, as OpenAI's clients mean it. The words are `agent-answer.ts`.
 */
import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import { admit } from "../api/admission.ts";
import { requireScopes } from "../api/authenticate.ts";
import type { ApiCaller } from "../api/caller.ts";
import { createCodeSession } from "../api/code-create.ts";
import { hostError, idUnder, MessageFollow, readSession, requireMayPrompt, requirePolicy, stopQuietly } from "../api/code-message.ts";
import { sendMessage } from "../api/code-send.ts";
import { apiErrorBody } from "../api/errors.ts";
import { clientSignal, eventStream } from "../api/event-stream.ts";
import { AppError } from "../errors.ts";
import type { AppContext } from "../middleware/auth.ts";
import { AgentText, AgentWords, agentCompletion, turnError } from "./agent-answer.ts";
import { readAgentRequest, SESSION_HEADER, type AgentRequest } from "./agent-request.ts";
import { completionId, dataLine, DONE } from "./chunks.ts";
import type { ChatRequest } from "./request.ts";

/** An agent that works without a word must not look dead to a client, or to a proxy on the way. */
const PING_MS = 10_000;

/** `project`: that the model's name or the request names; null: the one for programs, or the session's own. */
export async function answerByAgent(
  c: AppContext,
  caller: ApiCaller,
  request: ChatRequest,
  project: ProjectBody | null,
): Promise<Response> {
  requireScopes(caller, "sessions:write");
  const asked = readAgentRequest(request, c.req.header(SESSION_HEADER) ?? null);
  requirePolicy(caller, asked.approvals);
  const { remainingUsd } = await admit(c, caller, "code");
  const key = c.req.header("idempotency-key");
  const sessionId = await sessionOf(c.env, caller, asked, { project, key, remainingUsd });
  const signal = clientSignal(c.req.raw);
  const messageId = await idUnder("prompt", caller, key, sessionId);
  const message = { sessionId, messageId, text: asked.prompt, attached: asked.attached, files: {}, approvals: asked.approvals };
  const follow = new MessageFollow(c.env, caller, await sendMessage(c.env, caller, message, signal));
  const head = { id: completionId(), createdS: Math.floor(Date.now() / 1_000), model: request.model };
  c.header(SESSION_HEADER, sessionId);
  if (request.stream === true) {
    const words = new AgentWords(head, asked.toolProgress, request.stream_options?.include_usage === true);
    return streamed(c, caller, follow, words);
  }
  const content = await toItsEnd(c, caller, follow, { text: new AgentText(asked.toolProgress), signal });
  return c.json(agentCompletion(head, follow, content));
}

type Place = { project: ProjectBody | null; key: string | undefined; remainingUsd: number | null };

async function sessionOf(env: Env, caller: ApiCaller, asked: AgentRequest, { project, key, remainingUsd }: Place): Promise<string> {
  const { sessionId, title, approvals } = asked;
  if (sessionId === null) return createCodeSession(env, caller, { project, prompt: title, key }, remainingUsd);
  const state = await readSession(env, caller, sessionId);
  if (project !== null && project.projectId !== state.projectId)
    throw new AppError("bad_request", { param: "model", detail: "that session belongs to another project" });
  requireMayPrompt(caller, state, MAIN_THREAD, approvals);
  return sessionId;
}

interface Whole {
  text: AgentText;
  signal: AbortSignal;
}

/** The whole text of the answer. */
async function toItsEnd(c: AppContext, caller: ApiCaller, follow: MessageFollow, { text, signal }: Whole): Promise<string> {
  const stopped = Promise.withResolvers<void>();
  c.executionCtx.waitUntil(stopped.promise);
  try {
    for await (const { pieces } of follow.steps(signal)) {
      for (const piece of pieces) text.take(piece);
      if (follow.fold.turnId === null && follow.hostProblem !== null) throw hostError(follow);
    }
  } finally {
    if (!follow.fold.isOver) await stopQuietly(c.env, caller, follow);
    stopped.resolve();
  }
  const error = turnError(follow);
  if (error !== null) throw error;
  return text.whole;
}

function streamed(c: AppContext, caller: ApiCaller, follow: MessageFollow, words: AgentWords): Response {
  const requestId = c.get("requestId");
  async function* answer(signal: AbortSignal): AsyncGenerator<string> {
    try {
      yield words.begin();
      for await (const { pieces } of follow.steps(signal)) {
        const said = pieces.map((piece) => words.say(piece)).join("");
        if (said !== "") yield said;
        if (follow.fold.turnId === null && follow.hostProblem !== null) throw hostError(follow);
      }
      const error = turnError(follow);
      if (error !== null) throw error;
      yield words.end(follow);
    } finally {
      if (!follow.fold.isOver) await stopQuietly(c.env, caller, follow);
    }
  }
  return eventStream(answer, {
    signal: c.req.raw.signal,
    failure: (error) => dataLine(apiErrorBody(error, requestId)) + DONE,
    waitUntil: (work) => c.executionCtx.waitUntil(work),
    headers: Object.fromEntries(c.res.headers),
    pingMs: PING_MS,
  });
}
