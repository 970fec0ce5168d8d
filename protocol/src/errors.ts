/**
 * The one table of errors. A code is stable; the message is for people: what happened and what to do next.
 * `retryable` says whether the same request may succeed later without anybody changing it.
 */
export interface ErrorRow {
  readonly status: number;
  readonly retryable: boolean;
  readonly message: string;
}

export const ERRORS = {
  bad_request: { status: 400, retryable: false, message: "The request is not valid. Check the fields named in the details." },
  bad_frame: { status: 400, retryable: false, message: "The message could not be read. Reload the page." },
  incompatible_version: {
    status: 426,
    retryable: false,
    message: "This side is too old or too new. Reload the page, or update the program.",
  },
  not_signed_in: { status: 401, retryable: false, message: "Sign in first." },
  bad_credentials: { status: 401, retryable: false, message: "The e-mail or the password is wrong." },
  account_exists: { status: 409, retryable: false, message: "An account with this e-mail exists already. Sign in instead." },
  sign_up_closed: { status: 403, retryable: false, message: "Sign-up is closed here. Ask the operator for an account." },
  forbidden: { status: 403, retryable: false, message: "Your role does not allow this. Ask the owner of the session." },
  bad_origin: { status: 403, retryable: false, message: "The request came from another site. Open the app at its own address." },
  not_found: { status: 404, retryable: false, message: "Not found, or you have no access." },
  conflict: { status: 409, retryable: false, message: "The same id was used before with other content. Use a new id." },
  already_answered: { status: 409, retryable: false, message: "This was answered already." },
  too_large: { status: 413, retryable: false, message: "That is too large. Shorten it, or put it in a file of the project." },
  rate_limited: { status: 429, retryable: true, message: "Too many requests. Wait a little and try again." },
  queue_full: { status: 429, retryable: true, message: "Too many prompts are waiting. Withdraw one or wait." },
  internal: { status: 500, retryable: true, message: "Something broke on our side. Try again; quote the request id if it stays." },
  unavailable: { status: 503, retryable: true, message: "A part of the service is not reachable. Try again shortly." },

  ticket_invalid: { status: 401, retryable: true, message: "The connection ticket is used up or expired. Connect again." },
  share_ended: { status: 404, retryable: false, message: "This link is unknown, expired or revoked. Ask for a new one." },

  key_missing: { status: 409, retryable: false, message: "No API key is stored. Add one in Settings, API key." },
  key_format: {
    status: 422,
    retryable: false,
    message: "This does not look like an API key of that provider. Paste the whole key.",
  },
  key_admin: {
    status: 422,
    retryable: false,
    message: "This is an admin key. Create an ordinary API key in the provider's console and paste that.",
  },
  key_oauth: {
    status: 422,
    retryable: false,
    message: "This is a Claude login token, not an API key. Create an API key in the Anthropic Console.",
  },
  key_invalid: {
    status: 422,
    retryable: false,
    message: "The provider refused the key. Check that it was copied whole and is still active.",
  },
  key_no_credit: {
    status: 422,
    retryable: false,
    message: "The provider says the account is out of credit. Add credit in its console.",
  },
  key_unverified: {
    status: 502,
    retryable: true,
    message: "The provider could not be reached to check the key. Nothing was stored. Try again.",
  },
  keys_locked: {
    status: 503,
    retryable: true,
    message: "Stored keys cannot be opened now. The operator must check the key-encryption key.",
  },
  git_login_refused: {
    status: 422,
    retryable: false,
    message: "The Git host refused this login. Check the token, its expiry, and that it may read the repository.",
  },
  git_login_unverified: {
    status: 502,
    retryable: true,
    message: "The Git host could not be reached to check the login. Nothing was stored. Try again.",
  },
  demo_off: { status: 409, retryable: false, message: "The demo model is not running here. Add an API key." },

  budget_reached: { status: 402, retryable: false, message: "This session's budget is used up. Raise the budget in the session to go on." },
  time_cap_reached: {
    status: 402,
    retryable: false,
    message: "This session has used its sandbox hours. Its owner can raise the cap in the session to go on.",
  },
  model_path_refused: { status: 404, retryable: false, message: "Only model calls pass here." },
  model_body_refused: { status: 403, retryable: false, message: "The model request uses a feature that is closed here." },
  model_token_refused: { status: 403, retryable: false, message: "This runner may not call the model any more." },
  upstream_unreachable: { status: 502, retryable: true, message: "The model provider could not be reached." },

  no_machine: {
    status: 503,
    retryable: true,
    message: "No machine is connected. Start one with npm start or ai-dev-agent connect; the prompt waits.",
  },
  machine_full: { status: 503, retryable: true, message: "The machine runs as many sessions as it may. The prompt waits." },
  sandbox_off: { status: 409, retryable: false, message: "This deployment offers no sandboxes. Connect a machine, or choose one." },
  sandbox_full: { status: 503, retryable: true, message: "As many sandboxes run as may. The prompt waits for one to end." },
  sandbox_unavailable: { status: 503, retryable: true, message: "Cloudflare could not start a sandbox now. It is tried again." },
  host_blocked: {
    status: 403,
    retryable: false,
    message: "This host is blocked by the session's network setting. The owner or a driver can allow it in the session.",
  },
  host_never_allowed: { status: 403, retryable: false, message: "This host can never be reached from a sandbox." },
  lifecycle_refused: {
    status: 409,
    retryable: false,
    message: "This session cannot change to that lifecycle now. The reason is in the details.",
  },
  not_multi_agent: {
    status: 409,
    retryable: false,
    message: "This session has one agent. Change its lifecycle to multi-agent to start another.",
  },
  thread_unknown: { status: 404, retryable: false, message: "This session has no such agent. Start it first." },
  threads_full: { status: 409, retryable: false, message: "This session has as many agents as it may." },
  runner_start_failed: { status: 503, retryable: true, message: "The runner could not be started. Its last words are in the details." },
  runner_lost: { status: 503, retryable: true, message: "The runner vanished. What was done until then is kept; send a prompt to go on." },
  runner_fenced: { status: 409, retryable: false, message: "A newer runner has taken over this session." },
  workspace_git_failed: {
    status: 422,
    retryable: false,
    message: "The Git repository could not be cloned. Check the address and that it can be read without a password.",
  },
  workspace_path_missing: { status: 422, retryable: false, message: "That folder does not exist on the machine." },
  workspace_path_refused: {
    status: 403,
    retryable: false,
    message: "That folder may not be opened. Choose a project folder inside your home folder.",
  },
  workspace_git_missing: {
    status: 422,
    retryable: false,
    message: "git is not installed on the machine. Install git, then send a prompt.",
  },
  agent_start_failed: { status: 503, retryable: true, message: "Claude could not be started. The reason is in the details." },
  agent_error: { status: 502, retryable: true, message: "Claude stopped with an error. Send a prompt to go on." },
  approval_expired: { status: 409, retryable: false, message: "Nobody answered in time. Send a prompt to go on." },
  prompt_withdrawn: { status: 409, retryable: false, message: "The prompt was withdrawn before it ran." },
  prompt_started: { status: 409, retryable: false, message: "The prompt is running already and cannot be changed." },
  turn_running: { status: 409, retryable: true, message: "An agent is at work. Stop it or wait for it, then try again." },
  snapshot_conflict: { status: 409, retryable: false, message: "The session was saved by someone newer. This save was dropped." },
  snapshot_shrunk: {
    status: 409,
    retryable: false,
    message: "The files became far fewer. Nothing was overwritten; save by hand to accept it.",
  },
  snapshot_damaged: { status: 422, retryable: false, message: "A saved state is damaged. The one before is used." },
  quota_exceeded: {
    status: 507,
    retryable: false,
    message: "Your storage is full, so this was not saved. Delete old sessions in Settings, Storage, then save again.",
  },
  move_refused: {
    status: 409,
    retryable: false,
    message: "This session cannot move there now. The reason is in the details.",
  },
  archive_refused: {
    status: 422,
    retryable: false,
    message: "This archive could not be unpacked. Check that it is a whole zip or tar without odd paths, and upload it again.",
  },
  import_missing: { status: 410, retryable: false, message: "The uploaded archive is gone. Upload it again as a new project." },
  login_pending: { status: 400, retryable: true, message: "Nobody has approved this sign-in yet." },
  login_slow_down: { status: 429, retryable: true, message: "Asked too often. Wait longer between two questions." },
  login_denied: { status: 403, retryable: false, message: "The sign-in was declined in the browser." },
  login_expired: { status: 410, retryable: false, message: "This sign-in has expired or was used. Start it again on the computer." },
  login_code_unknown: {
    status: 404,
    retryable: false,
    message: "No computer waits with this code. Check it letter by letter, or start the sign-in again on the computer.",
  },
  machine_token_refused: {
    status: 401,
    retryable: false,
    message: "This computer is not signed in any more. Run ai-dev-agent login.",
  },
  command_refused: {
    status: 403,
    retryable: false,
    message: "Your machine refused this: it was not signed by a browser that it knows. The reason is in the details.",
  },
  login_missing: {
    status: 409,
    retryable: false,
    message: "Claude is not signed in on that machine. Run claude there, sign in, then send a prompt.",
  },
  mode_refused: {
    status: 403,
    retryable: false,
    message: "That machine does not allow this mode. Its owner can allow it there with ai-dev-agent connect --allow-bypass.",
  },
  machine_stopped: {
    status: 503,
    retryable: true,
    message: "That machine was stopped by its user and starts nothing until ai-dev-agent resume is run there. The prompt waits.",
  },
  machine_limited: {
    status: 429,
    retryable: true,
    message: "That machine's own limit is reached. The reason is in the details. Wait, then send a prompt.",
  },
  login_elsewhere: {
    status: 409,
    retryable: false,
    message: "A Claude login is used on its owner's own machine only. Choose that machine, or use the stored key.",
  },
  session_deleted: { status: 410, retryable: false, message: "This session was deleted." },

  api_token_missing: {
    status: 401,
    retryable: false,
    message: "Send an API token: Authorization: Bearer adp_live_… Settings, API makes one.",
  },
  api_token_refused: {
    status: 401,
    retryable: false,
    message: "This API token is unknown, expired or revoked. Make a new one in Settings, API.",
  },
  scope_missing: { status: 403, retryable: false, message: "This API token may not do that. The scope it lacks is in the details." },
  token_budget_reached: {
    status: 402,
    retryable: false,
    message: "This API token has spent its budget. Make one with a larger budget in Settings, API.",
  },
  feature_off: { status: 501, retryable: false, message: "The operator of this deployment has switched that off." },
  model_unknown: { status: 404, retryable: false, message: "There is no such model here. GET /v1/models lists what there is." },
  provider_key_missing: {
    status: 409,
    retryable: false,
    message: "No key of that provider is stored. Add one in Settings, API key.",
  },
  provider_address_refused: {
    status: 422,
    retryable: false,
    message: "That address cannot be used. It has to be https, of a public host, without a login in it.",
  },
  idempotency_conflict: {
    status: 409,
    retryable: false,
    message: "This Idempotency-Key was used with another request. Use a new key.",
  },
  idempotency_running: {
    status: 409,
    retryable: true,
    message: "The first request with this Idempotency-Key is still running. Try again shortly.",
  },
  needs_signed_command: {
    status: 409,
    retryable: false,
    message: "This session runs on a person's own machine, which obeys signed browsers alone. Move it to a sandbox or another host first.",
  },
  execution_needs_host: {
    status: 409,
    retryable: false,
    message: "Nothing can run in a session that only talks to the model. Move it to a sandbox or a machine first.",
  },
  executions_full: { status: 429, retryable: true, message: "As many programs run in this session as may. Wait for one to end." },
  execution_language_missing: { status: 422, retryable: false, message: "The host has no interpreter for that language." },
  execution_files_refused: {
    status: 422,
    retryable: false,
    message: "A path of the files is not inside the workspace. Give paths relative to it.",
  },
  webhook_address_refused: {
    status: 422,
    retryable: false,
    message: "That address cannot be used for a webhook. It has to be https, of a public host, without a login in it.",
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

/** The one shape of an error on every edge. */
export interface ErrorBody {
  error: { code: ErrorCode; message: string; retryable: boolean; detail?: string | undefined; requestId?: string | undefined };
}

export function errorBody(code: ErrorCode, detail?: string, requestId?: string): ErrorBody {
  const { message, retryable } = ERRORS[code];
  return {
    error: { code, message, retryable, ...(detail === undefined ? {} : { detail }), ...(requestId === undefined ? {} : { requestId }) },
  };
}
