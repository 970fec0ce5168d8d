/** Numbers of this folder that are decisions, each with its unit and its reason. */
import type { RateRule } from "../config.ts";

/** A Git host is asked about a login this long. */
export const GIT_CHECK_TIMEOUT_MS = 8_000;
/** Checking logins is a service to their owner, not to someone with a list of stolen ones. */
export const GIT_CHECK_RULE: RateRule = { name: "git-login-check", limit: 10, windowMs: 3_600_000 };
/** Hosts one user may have a login for. */
export const MAX_GIT_CREDENTIALS = 20;
