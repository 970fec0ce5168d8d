/** Words and numbers of executions (SPEC EX) that the log, the runner and the API share. Free of schemas. */
export const EXECUTION_LANGUAGES = ["bash", "python", "javascript", "typescript", "ruby", "go"] as const;
export type ExecutionLanguage = (typeof EXECUTION_LANGUAGES)[number];

export const EXECUTION_STATUSES = ["completed", "failed", "timed_out", "stopped", "lost"] as const;
export type ExecutionStatus = (typeof EXECUTION_STATUSES)[number];

/** Changed files that are named. */
export const MAX_EXECUTION_FILES = 200;
/** Of what was asked to run, as the log shows it. */
export const MAX_EXECUTION_WHAT_CHARS = 2_000;
/** Text in one live frame. */
export const MAX_EXECUTION_PIECE_CHARS = 32_768;
/** Each of a report's two outputs as JSON, quotes and escapes included: both travel in one frame. */
export const MAX_EXECUTION_OUTPUT_JSON_BYTES = 330_000;
/** At once in one session. */
export const MAX_EXECUTIONS = 4;
