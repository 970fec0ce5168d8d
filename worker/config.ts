/** Numbers and names of the front door that are decisions, each with its unit and its reason. */

/** Shown on the screen and in reports of problems; the same as in package.json. */
export const PLATFORM_VERSION = "0.1.0";

/** A JSON body of /api: a prompt of the largest size (100,000 characters, up to 3 bytes each) just fits. */
export const MAX_JSON_BYTES = 307_200;

/** Short enough to type, long enough that guessing through the sign-in limits is hopeless. */
export const MIN_PASSWORD_CHARS = 10;
/** Hashing cost grows with the length; longer than any password manager makes. */
export const MAX_PASSWORD_CHARS = 128;
/** A sign-in ends after this long without a visit. */
export const SIGN_IN_TTL_S = 30 * 24 * 3_600;
/** A visit this much later renews it: one write a day at most. */
export const SIGN_IN_RENEW_AFTER_S = 24 * 3_600;

export interface RateRule {
  name: string;
  limit: number;
  windowMs: number;
}
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** One person mistyping. */
export const SIGN_IN_RULE: RateRule = { name: "sign-in", limit: 10, windowMs: MINUTE_MS };
/** Many addresses against one account. Wide, so that a stranger cannot easily lock the owner out. */
export const SIGN_IN_ACCOUNT_RULE: RateRule = { name: "sign-in-account", limit: 200, windowMs: HOUR_MS };
/** One address against many accounts. */
export const SIGN_IN_ADDRESS_RULE: RateRule = { name: "sign-in-address", limit: 60, windowMs: MINUTE_MS };
export const SIGN_UP_ADDRESS_RULE: RateRule = { name: "sign-up-address", limit: 20, windowMs: HOUR_MS };
/** While only the first account may be made, two requests at once must not both pass the check. */
export const FIRST_ACCOUNT_RULE: RateRule = { name: "first-account", limit: 1, windowMs: 10_000 };
/** Checking keys is a service to their owner, not to someone with a list of stolen ones. */
export const KEY_CHECK_RULE: RateRule = { name: "key-check", limit: 5, windowMs: HOUR_MS };

/** What a session may spend unless its owner says otherwise, in US dollars. */
export const DEFAULT_BUDGET_USD = 5;
/** Anthropic's advice for keys. */
export const DEFAULT_ROTATE_AFTER_DAYS = 90;
export const DAY_MS = 24 * HOUR_MS;
/** A key's "last used" is written at most this often: it is for people, and every model call would be a row. */
export const LAST_USED_STEP_MS = MINUTE_MS;

/** Tool servers one user may keep. */
export const MAX_MCP_SERVERS = 50;

/** The provider is asked about a key this long. */
export const KEY_CHECK_TIMEOUT_MS = 5_000;

/** Storage of one user, in gigabytes, unless the deployment says otherwise: what R2 gives away each month. */
export const DEFAULT_STORAGE_QUOTA_GB = 10;
/** Uploads of archives by one user: each is up to 95 MB of the operator's traffic. */
export const IMPORT_RULE: RateRule = { name: "import", limit: 30, windowMs: HOUR_MS };

/** Sandboxes that one user may have running, unless the deployment says otherwise. */
export const DEFAULT_SANDBOXES_PER_USER = 5;
/** Sandboxes of the whole deployment, unless it says otherwise: what `max_instances` in wrangler.toml leaves room for. */
export const DEFAULT_SANDBOXES_IN_ALL = 20;

/**
 * Requests of programs, for each minute, of one token and of all of a user's. Chat: ten a second is more than an editor or a script
 * asks for, and a loop that went wrong is stopped within a minute's worth. Code: each may begin a turn. Execute: each may start a sandbox.
 * A whole minute's worth may come at once, as editors ask in bursts.
 */
export const API_RATES = {
  chat: { perToken: 600, perUser: 1_200 },
  code: { perToken: 120, perUser: 240 },
  execute: { perToken: 60, perUser: 120 },
} as const;
export const API_RATE_WINDOW_MS = MINUTE_MS;
/**
 * What every request of a program asks for is read again after this: a token that was revoked and a key that was destroyed hold on for as
 * long in an isolate that has just seen them. Half of what is promised.
 */
export const RECENT_MS = 1_000;
/** Costs of settled calls are gathered this long before they are written. A crash forgets no more than that. */
export const SETTLE_WRITE_MS = 200;
/** Of a request with an Idempotency-Key: what the largest provider takes. A route may take less. */
export const MAX_API_BODY_BYTES = 32 * 1_024 * 1_024;
/** An answer longer than this is not kept for its Idempotency-Key: a row of the account's database holds 2 MB. */
export const MAX_STORED_ANSWER_BYTES = 1_024 * 1_024;
/** As OpenAI and Stripe keep them. */
export const IDEMPOTENCY_TTL_MS = 24 * HOUR_MS;

/** A session that was made for one program deletes itself this long after the program's own time: starts take minutes. */
export const EXECUTION_SESSION_SLACK_MS = 8 * 60_000;
