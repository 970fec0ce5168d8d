/** Operations on sessions of the coding agent. */
import type { Json, Operation, Parameter } from "./operation.ts";

const ZEROS = "0".repeat(26);
const SESSION_ID = `ses_${ZEROS}`;
const MESSAGE_ID = `prm_${ZEROS}`;
const TURN_ID = `trn_${ZEROS}`;
const APPROVAL_ID = `apr_${ZEROS}`;

const id = (name: string, description: string, example: string): Parameter => ({
  name,
  in: "path",
  description,
  schema: { type: "string" },
  example,
});
const session = id("id", "The session.", SESSION_ID);
const message = id("messageId", "The message.", MESSAGE_ID);
const query = (name: string, description: string, schema: Json): Parameter => ({ name, in: "query", description, schema });

const sessionExample = {
  id: SESSION_ID,
  object: "code.session",
  created_at: 1_700_000_000,
  title: "Fix the login",
  project_id: `prj_${ZEROS}`,
  status: "running",
  host: "sandbox",
  lifecycle: "hydrated",
  model: "default",
  turn: { id: TURN_ID, message_id: MESSAGE_ID, started_at: 1_700_000_000 },
  last_turn: null,
  approvals: [],
  queued_messages: 0,
  cost_usd: 0,
  budget_usd: 5,
  saved: null,
  last_event_id: 4,
  url: `https://platform.example/s/${SESSION_ID}`,
};
const messageExample = {
  id: MESSAGE_ID,
  object: "code.message",
  session_id: SESSION_ID,
  turn_id: TURN_ID,
  status: "ended",
  outcome: "completed",
  content: "The login works again.",
  files_changed: [{ path: "src/login.ts", status: "modified", additions: 2, deletions: 1 }],
  approvals: [],
  usage: { input_tokens: 1_200, output_tokens: 80, cost_usd: 0.01 },
  problem: null,
};

const event = (seq: number, type: string, data: Json) =>
  `id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify({ id: seq, at_ms: 1_700_000_000_000, type, thread: "main", turn_id: TURN_ID, data })}\n\n`;
const live = `event: live\ndata: ${JSON.stringify({ thread: "main", block: "b1", kind: "text", offset: 0, text: "The login" })}\n\n`;
const EVENTS = event(3, "turn_started", { prompt: { promptId: MESSAGE_ID } }) + live + event(9, "turn_ended", { outcome: "completed" });
const MESSAGE_EVENTS = `${EVENTS}event: message.ended\ndata: ${JSON.stringify(messageExample)}\n\n`;

const sessionAnswer = { status: 200, description: "The session.", schema: "CodeSession", example: sessionExample } as const;

const SESSIONS: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/code/session",
    id: "createCodeSession",
    tag: "Sessions",
    summary: "Begin a session",
    description:
      "On a project, on a Git repository, or on nothing. With a prompt it begins to work at once; the answer does not wait for that.",
    scopes: ["sessions:write"],
    body: {
      schema: "CodeSessionCreate",
      example: { title: "Fix the login", prompt: "The login is broken. Find out why.", approvals: "accept_edits" },
    },
    isIdempotent: true,
    answers: [
      { status: 201, description: "The session.", schema: "CodeSessionCreated", example: { ...sessionExample, message_id: MESSAGE_ID } },
    ],
    errors: ["bad_request", "too_large", "not_found", "sandbox_off", "token_budget_reached", "key_missing"],
  },
  {
    method: "get",
    path: "/v1/code/session",
    id: "listCodeSessions",
    tag: "Sessions",
    summary: "List sessions",
    description: "All of the token's owner, the newest first.",
    scopes: ["sessions:read"],
    parameters: [
      query("limit", "How many.", { type: "integer", minimum: 1, maximum: 50, default: 20 }),
      query("after", "`last_id` of the page before.", { type: "string" }),
    ],
    answers: [
      {
        status: 200,
        description: "A page of sessions.",
        schema: "CodeSessionList",
        example: { object: "list", data: [sessionExample], has_more: false, last_id: SESSION_ID },
      },
    ],
    errors: ["bad_request", "not_found"],
  },
  {
    method: "get",
    path: "/v1/code/session/{id}",
    id: "getCodeSession",
    tag: "Sessions",
    summary: "Show a session",
    description: "As it is now. Looking wakes nothing.",
    scopes: ["sessions:read"],
    parameters: [session],
    answers: [sessionAnswer],
    errors: ["not_found", "session_deleted"],
  },
  {
    method: "delete",
    path: "/v1/code/session/{id}",
    id: "deleteCodeSession",
    tag: "Sessions",
    summary: "Delete a session",
    description: "Stops what runs and removes its files, its saved states and its log for good.",
    scopes: ["sessions:write"],
    parameters: [session],
    answers: [{ status: 204, description: "It is gone." }],
    errors: ["not_found", "session_deleted"],
  },
];

const MESSAGES: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/code/session/{id}/messages",
    id: "sendCodeMessage",
    tag: "Sessions",
    summary: "Send a message",
    description:
      "Answers at once with 202; with `wait`, when the turn has ended or asks for an approval; with `stream`, by events until it has ended. " +
      "A client that goes leaves the turn running. The same Idempotency-Key names the same message: sent again, it is followed, not repeated.",
    scopes: ["sessions:write"],
    parameters: [session],
    body: { schema: "CodeMessageCreate", example: { content: "Fix it, and add a test.", approvals: "accept_edits", wait: true } },
    isIdempotent: true,
    answers: [
      {
        status: 200,
        description: "With `wait` or `stream`.",
        schema: "CodeMessage",
        example: messageExample,
        stream: {
          description: "Events as of the session, from the message on; last `message.ended` with the message.",
          example: MESSAGE_EVENTS,
        },
      },
      {
        status: 202,
        description: "It is in the session's log and will be worked on.",
        schema: "CodeMessage",
        example: { ...messageExample, status: "running", outcome: null, content: "", files_changed: [], usage: null },
        headers: { location: "Where the message is shown." },
      },
    ],
    errors: ["bad_request", "too_large", "not_found", "queue_full", "needs_signed_command", "token_budget_reached", "session_deleted"],
  },
  {
    method: "get",
    path: "/v1/code/session/{id}/messages/{messageId}",
    id: "getCodeMessage",
    tag: "Sessions",
    summary: "Show a message",
    description: "With what the agent has answered so far.",
    scopes: ["sessions:read"],
    parameters: [session, message],
    answers: [{ status: 200, description: "The message.", schema: "CodeMessage", example: messageExample }],
    errors: ["not_found"],
  },
  {
    method: "post",
    path: "/v1/code/session/{id}/messages/{messageId}/cancel",
    id: "cancelCodeMessage",
    tag: "Sessions",
    summary: "Stop a message",
    description: "Takes it back if it still waits, stops its turn if it runs. What was done until then stays.",
    scopes: ["sessions:write"],
    parameters: [session, message],
    answers: [{ status: 200, description: "The message.", schema: "CodeMessage", example: { ...messageExample, outcome: "stopped" } }],
    errors: ["not_found"],
  },
];

const LOOKING: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/code/session/{id}/events",
    id: "streamCodeEvents",
    tag: "Sessions",
    summary: "Follow a session",
    description:
      "Everything of the log after `Last-Event-ID` (or `after`), then what happens, one event each with its number as id; `live` for text on its way, " +
      "which is not kept; comments while nothing happens. Connect again with the last id to go on without a gap.",
    scopes: ["sessions:read"],
    parameters: [
      session,
      { name: "Last-Event-ID", in: "header", description: "The last event that was seen.", schema: { type: "integer", minimum: 0 } },
      query("after", "The same, for clients that cannot send the header.", { type: "integer", minimum: 0, default: 0 }),
    ],
    answers: [
      { status: 200, description: "Events (`CodeEvent`, `CodeLive`).", stream: { description: "Server-sent events.", example: EVENTS } },
    ],
    errors: ["bad_request", "not_found", "session_deleted"],
  },
  {
    method: "get",
    path: "/v1/code/session/{id}/files",
    id: "readCodeFiles",
    tag: "Sessions",
    summary: "Look at files",
    description: "From the running workspace, or from the newest saved state where nothing runs.",
    scopes: ["sessions:read"],
    parameters: [
      session,
      query("path", "A folder or a file, relative to the workspace. Empty: the workspace.", { type: "string", default: "" }),
      query("changes", "`1`: in place of them, which files differ from the beginning.", { type: "string", enum: ["1"] }),
    ],
    answers: [
      {
        status: 200,
        description: "A folder, a file, or the changes.",
        schema: "CodeFiles",
        example: { object: "code.file", path: "README.md", bytes: 8, text: "# Hello\n", truncated: false, as_of_event: null },
      },
    ],
    errors: ["not_found"],
  },
  {
    method: "post",
    path: "/v1/code/session/{id}/approvals/{approvalId}",
    id: "answerCodeApproval",
    tag: "Sessions",
    summary: "Answer an approval",
    description: "Once. To allow an edit needs the scope `approve:edits`, to allow anything else `approve:all`; to say no needs neither.",
    scopes: ["sessions:write"],
    parameters: [session, id("approvalId", "The approval.", APPROVAL_ID)],
    body: { schema: "ApprovalAnswer", example: { decision: "allow_once" } },
    answers: [sessionAnswer],
    errors: ["bad_request", "not_found", "already_answered", "approval_expired", "needs_signed_command"],
  },
];

const SOCKETS: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/code/session/{id}/socket",
    id: "openCodeSessionSocket",
    tag: "Sessions",
    summary: "Open a session's socket",
    description: "A WebSocket that speaks the protocol of the web app, for full clients.",
    scopes: ["sessions:read"],
    parameters: [session],
    answers: [{ status: 101, description: "The socket." }],
    errors: ["not_found", "bad_request"],
  },
  {
    method: "get",
    path: "/v1/code/ws",
    id: "openCodeSocket",
    tag: "Sessions",
    summary: "Open a socket for code requests",
    description: "A WebSocket: `code_request` in (`CodeSocketRequest`), progress and one `code_response` out (`CodeSocketAnswer`).",
    scopes: ["sessions:write"],
    answers: [{ status: 101, description: "The socket." }],
    errors: [],
  },
];

export const CODE_OPERATIONS: readonly Operation[] = [...SESSIONS, ...MESSAGES, ...LOOKING, ...SOCKETS];
