/** Every number of direct mode. */

/** Model calls in one turn: a question takes a handful, a loop would take all of the budget. */
export const MAX_STEPS = 24;
/** The longest answer of one call. */
export const MAX_ANSWER_TOKENS = 16_000;

/** What is remembered of a thread. Older turns are left out, and the model is told so. */
export const MAX_MEMORY_CHARS = 160_000;
/** One answer in memory. */
export const MAX_REMEMBERED_ANSWER_CHARS = 40_000;

/** While a run lasts, its object is looked after this often: after an eviction this is how its turn ends. */
export const LOOK_AFTER_MS = 15_000;
/** First and longest pause before the session is dialled again. */
export const REDIAL_FIRST_MS = 200;
export const REDIAL_LONGEST_MS = 5_000;
/** Dials in a row that fail before the run gives up: the session has given it up long before. */
export const MAX_REDIALS = 12;

/** Items in one frame, and their characters: far below the frame's limit even when every character needs an escape. */
export const FRAME_ITEMS = 100;
export const FRAME_CHARS = 150_000;

/** A file read in one call of a tool. */
export const MAX_READ_CHARS = 40_000;
export const DEFAULT_READ_LINES = 1_000;
/** Files whose text one search looks through, and the lines that it shows. */
export const MAX_SEARCHED_FILES = 40;
export const MAX_SHOWN_LINES = 200;
export const MAX_LINE_CHARS = 300;
