/**
 * /v1/code/session: the coding agent for programs (SPEC CA). Thin: reads the request, asks the modules of `api/`, and answers.
 * A session that is not the caller's own is not found; a client that goes leaves its messages running and no socket behind.
 */
import { Hono } from "hono";
import { codeApprovalAnswerSchema, codeMessageCreateSchema, codeSessionCreateSchema } from "@ai-dev-platform/protocol/api/code";
import { approvalIdSchema, MAIN_THREAD, promptIdSchema, sessionIdSchema } from "@ai-dev-platform/protocol/ids";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { admit } from "../api/admission.ts";
import { attach } from "../api/attach.ts";
import { requireToken } from "../api/authenticate.ts";
import { createCodeSession } from "../api/code-create.ts";
import { messageEvents, sessionEvents } from "../api/code-events.ts";
import { readFiles } from "../api/code-files.ts";
import {
  actorOf,
  authorOf,
  findMessage,
  idUnder,
  MessageFollow,
  readSession,
  requireMayPrompt,
  requirePolicy,
  stopMessage,
} from "../api/code-message.ts";
import { sendMessage, wishOfContent } from "../api/code-send.ts";
import { openCodeSocket } from "../api/code-socket.ts";
import { openNativeSocket } from "../api/native-socket.ts";
import { apiErrorBody } from "../api/errors.ts";
import { clientSignal, eventStream, frameOf } from "../api/event-stream.ts";
import { idempotent } from "../api/idempotency.ts";
import { hasScope, scopeOfAnswer, sessionView } from "../api/session-view.ts";
import { pageSessions } from "../db/sessions.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import type { AppContext, AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { requireFeature } from "../middleware/features.ts";
import { sessionStub } from "../session/stub.ts";
import { pathId } from "./owned.ts";
import { deleteSession } from "./session-lifecycle.ts";
import { requireUpgrade } from "./socket-door.ts";

/** Room for the files and images of one message, as the schemas bound them. */
const MAX_CODE_BODY_BYTES = 12 * 1_048_576;
const PAGE = 20;
/** Each session of a page is asked for its state. */
const MAX_PAGE = 50;

const AT = "/v1/code/session";
const reads = requireToken("sessions:read");
const writes = requireToken("sessions:write");

export const codeRoutes = new Hono<AppEnv>();
for (const path of [`${AT}/*`, "/v1/code/ws"]) codeRoutes.use(path, requireFeature("api"), requireFeature("agent"));

// --- sessions ---

codeRoutes.post(AT, writes, async (c) => {
  const caller = c.get("caller");
  return idempotent(c, caller, async () => {
    const wanted = await parseJson(c, codeSessionCreateSchema, MAX_CODE_BODY_BYTES);
    requirePolicy(caller, wanted.approvals);
    const { remainingUsd } = await admit(c, caller, "code");
    const key = c.req.header("idempotency-key");
    const { project_id: projectId, budget_usd: budgetUsd, prompt = "", title, model, lifecycle, host, network, repository } = wanted;
    const wish = { projectId, repository, title, prompt, model, lifecycle, host, network, budgetUsd, key };
    const sessionId = await createCodeSession(c.env, caller, wish, remainingUsd);
    const messageId = await idUnder("prompt", caller, key, sessionId);
    if (prompt !== "" || wanted.files !== undefined) {
      const content = wishOfContent(prompt, wanted.files);
      await sendMessage(c.env, caller, { sessionId, messageId, ...content, approvals: wanted.approvals }, clientSignal(c.req.raw));
    }
    const view = sessionView(sessionId, await readSession(c.env, caller, sessionId), originOf(c));
    return c.json({ ...view, ...(prompt === "" ? {} : { message_id: messageId }) }, 201);
  });
});

codeRoutes.get(AT, reads, async (c) => {
  const limit = wholeNumber(c.req.query("limit"), "limit", { min: 1, max: MAX_PAGE, otherwise: PAGE });
  const after = c.req.query("after") ?? null;
  if (after !== null && !sessionIdSchema.safeParse(after).success) throw new AppError("not_found", { param: "after" });
  const rows = await pageSessions(c.env.DB, c.get("caller").userId, { limit: limit + 1, after });
  const states = await Promise.all(rows.slice(0, limit).map(({ sessionId }) => sessionStub(c.env, sessionId).state()));
  const data = states.flatMap((state, index) => (state === null ? [] : [sessionView(rows[index]?.sessionId ?? "", state, originOf(c))]));
  return c.json({
    object: "list",
    data,
    has_more: rows.length > limit,
    last_id: rows[Math.min(limit, rows.length) - 1]?.sessionId ?? null,
  });
});

codeRoutes.get(`${AT}/:id`, reads, async (c) => {
  const { sessionId, state } = await ownState(c);
  return c.json(sessionView(sessionId, state, originOf(c)));
});

codeRoutes.delete(`${AT}/:id`, writes, async (c) => {
  const { sessionId } = await ownState(c);
  await deleteSession(c.env, sessionId, c.get("caller").userId, Date.now());
  return c.body(null, 204);
});

// --- messages ---

codeRoutes.post(`${AT}/:id/messages`, writes, async (c) => {
  const caller = c.get("caller");
  const { sessionId, state } = await ownState(c);
  const wanted = await parseJson(c, codeMessageCreateSchema, MAX_CODE_BODY_BYTES);
  requireMayPrompt(caller, state, wanted.thread ?? MAIN_THREAD, wanted.approvals);
  await admit(c, caller, "code");
  const messageId = await idUnder("prompt", caller, c.req.header("idempotency-key"), sessionId);
  const { approvals, thread } = wanted;
  const signal = clientSignal(c.req.raw);
  const message = { sessionId, messageId, approvals, thread, ...wishOfContent(wanted.content, wanted.files) };
  const follow = new MessageFollow(c.env, caller, await sendMessage(c.env, caller, message, signal));
  c.header("location", `${AT}/${sessionId}/messages/${messageId}`);
  if (wanted.stream) return stream(c, (ends) => messageEvents(follow, ends));
  if (!wanted.wait) return c.json((await follow.until(() => follow.isCaughtUp, signal)).view, 202);
  return c.json((await follow.until(() => follow.needsSomebody, signal)).view);
});

codeRoutes.get(`${AT}/:id/messages/:messageId`, reads, async (c) => {
  const { sessionId } = await ownState(c);
  return c.json(await messageView(c, sessionId, pathId(c, promptIdSchema, "messageId")));
});

codeRoutes.post(`${AT}/:id/messages/:messageId/cancel`, writes, async (c) => {
  const { sessionId } = await ownState(c);
  const messageId = pathId(c, promptIdSchema, "messageId");
  await stopMessage(c.env, c.get("caller"), { sessionId, messageId });
  return c.json(await messageView(c, sessionId, messageId));
});

/** As far as it is known now. */
async function messageView(c: AppContext, sessionId: string, messageId: string) {
  const follow = new MessageFollow(c.env, c.get("caller"), await findMessage(c.env, sessionId, messageId));
  return (await follow.until(() => follow.isCaughtUp, clientSignal(c.req.raw))).view;
}

// --- events, files, approvals ---

codeRoutes.get(`${AT}/:id/events`, reads, async (c) => {
  const { sessionId } = await ownState(c);
  const after = wholeNumber(c.req.header("last-event-id") ?? c.req.query("after"), "after", { min: 0, max: 2 ** 50, otherwise: 0 });
  return stream(c, (ends) => sessionEvents(c.env, c.get("caller"), sessionId, after, ends));
});

codeRoutes.get(`${AT}/:id/files`, reads, async (c) => {
  const { sessionId, state } = await ownState(c);
  const ends = new AbortController();
  const attached = await attach(
    c.env,
    sessionId,
    actorOf(c.get("caller")),
    state.seq,
    AbortSignal.any([clientSignal(c.req.raw), ends.signal]),
  );
  try {
    return c.json(await readFiles(attached, { path: c.req.query("path") ?? "", changes: c.req.query("changes") === "1" }));
  } finally {
    attached.close();
    ends.abort();
  }
});

codeRoutes.post(`${AT}/:id/approvals/:approvalId`, writes, async (c) => {
  const caller = c.get("caller");
  const { sessionId, state } = await ownState(c);
  const approvalId = pathId(c, approvalIdSchema, "approvalId");
  const answer = await parseJson(c, codeApprovalAnswerSchema);
  const open = state.approvals.find(({ request }) => request.approvalId === approvalId);
  // What is asked by now is not known: only who may allow all may allow it.
  const scope = open === undefined ? (answer.decision === "deny" ? null : "approve:all") : scopeOfAnswer(open.request, answer);
  if (!hasScope(caller.scopes, scope)) {
    throw open === undefined ? new AppError("not_found") : new AppError("scope_missing", { detail: String(scope) });
  }
  const outcome = await sessionStub(c.env, sessionId).answerApproval(approvalId, answer, authorOf(caller));
  if (!outcome.ok) throw new AppError(outcome.code);
  return c.json(sessionView(sessionId, await readSession(c.env, caller, sessionId), originOf(c)));
});

// --- sockets ---

codeRoutes.get(`${AT}/:id/socket`, reads, async (c) => {
  requireUpgrade(c.req.raw);
  const { sessionId } = await ownState(c);
  return openNativeSocket(c.env, c.get("caller"), sessionId, c.req.raw);
});

codeRoutes.get("/v1/code/ws", async (c) => {
  requireUpgrade(c.req.raw);
  return openCodeSocket(c.env, c.req.raw, (work) => c.executionCtx.waitUntil(work));
});

// --- shared ---

async function ownState(c: AppContext): Promise<{ sessionId: string; state: SessionState }> {
  const sessionId = pathId(c, sessionIdSchema);
  return { sessionId, state: await readSession(c.env, c.get("caller"), sessionId) };
}

function stream(c: AppContext, source: (signal: AbortSignal) => AsyncIterable<string>): Response {
  const requestId = c.get("requestId");
  return eventStream(source, {
    signal: c.req.raw.signal,
    failure: (error) => frameOf({ event: "error", data: apiErrorBody(error, requestId) }),
    waitUntil: (work) => c.executionCtx.waitUntil(work),
    headers: Object.fromEntries(c.res.headers),
  });
}

const originOf = (c: AppContext): string => readConfig(c.env).publicOrigin ?? new URL(c.req.url).origin;

function wholeNumber(text: string | undefined, param: string, range: { min: number; max: number; otherwise: number }): number {
  if (text === undefined) return range.otherwise;
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= range.min && number <= range.max))
    throw new AppError("bad_request", { param, detail: `${param}: a whole number from ${range.min} to ${range.max}` });
  return number;
}
