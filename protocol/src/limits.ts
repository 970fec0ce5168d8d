/** Every size, count and time that two sides must agree on. Bytes, milliseconds and counts, as the names say. */

/** A frame in either direction. Far below the platform's 32 MiB, so that one frame cannot hold up a session. */
export const MAX_FRAME_BYTES = 900_000;
/** What a viewer may send in one frame: a prompt of the largest size with room for its envelope. */
export const MAX_VIEWER_FRAME_BYTES = 262_144;
/** A prompt's text, in UTF-16 units. Longer material belongs in a file. */
export const MAX_PROMPT_CHARS = 100_000;
/** Prompts that may wait in a session. More is a sign of a runaway client. */
export const MAX_QUEUED_PROMPTS = 20;
/** Viewer frames in any one second; a person cannot exceed it, a loop can. */
export const MAX_VIEWER_FRAMES_PER_SECOND = 40;

/** Entries sent first to a fresh viewer: what fills a large screen several times. */
export const FIRST_PAINT_ENTRIES = 200;
/** A viewer that is further behind than this is reset to the newest entries. */
export const MAX_REPLAY_ENTRIES = 2_000;
/** Entries in one page of older history. */
export const MAX_HISTORY_PAGE = 200;
/** Bytes of entries in one `events` frame while replaying. */
export const REPLAY_CHUNK_BYTES = 128_000;

/** A viewer acknowledges at least this often; what is unacknowledged counts against its credit. */
export const VIEWER_ACK_BYTES = 65_536;
/** Unacknowledged bytes above which live frames to that viewer pause. */
export const VIEWER_LAG_BYTES = 262_144;
/** Unacknowledged bytes above which that viewer is closed with a code that says "resume". */
export const VIEWER_CLOSE_BYTES = 1_048_576;

/** Live text is coalesced to about 30 frames a second. */
export const LIVE_FRAME_INTERVAL_MS = 33;
/** The running text of open blocks is checkpointed this often. */
export const CHECKPOINT_INTERVAL_MS = 1_000;

/** Tool output kept in an event; the rest is named, not sent. */
export const MAX_TOOL_OUTPUT_CHARS = 48_000;
/** Tool input kept in an event. */
export const MAX_TOOL_INPUT_CHARS = 48_000;
/** A patch kept in an event. */
export const MAX_PATCH_CHARS = 96_000;
/** One finished block of text. */
export const MAX_BLOCK_CHARS = 200_000;
/** A file shown in the Files panel. */
export const MAX_FILE_VIEW_BYTES = 400_000;

/** The agent is asked to end a turn; after this it is killed. */
export const STOP_GRACE_MS = 8_000;
/** However a stop goes, the turn has ended by this time. */
export const STOP_DEADLINE_MS = 15_000;
/** A started runner that has not said hello by now has failed to start. */
export const RUNNER_HELLO_DEADLINE_MS = 60_000;
/** A runner whose socket closed may come back this long before its turn is given up. */
export const RUNNER_RECONNECT_GRACE_MS = 20_000;
/** A runner proves that it lives this often (an auto-answered ping). */
export const RUNNER_PING_INTERVAL_MS = 10_000;
/** An unanswered approval is denied after this: long enough for a night, short enough not to hang for ever. */
export const APPROVAL_TTL_MS = 12 * 3_600_000;
/** An idle runner is stopped (after a save) when nothing happened for this long. */
export const RUNNER_IDLE_MS = 10 * 60_000;

/** Hosts that a session may list, and that one user may allow for always. */
export const MAX_NETWORK_HOSTS = 100;
/** Blocked hosts that a screen keeps in view; older ones are in the log. */
export const MAX_BLOCKED_HOSTS = 50;
/** One host's blocks become one event in this time. */
export const BLOCKED_HOST_EVENT_MS = 60_000;

/** Hours of sandbox that a session may use in all, unless its owner says otherwise. */
export const DEFAULT_MAX_HOURS = 12;
export const MIN_MAX_HOURS = 0.25;
export const MAX_MAX_HOURS = 72;
/** While a sandbox runs, its use is written down this often. */
export const HOST_USED_INTERVAL_MS = 10 * 60_000;

/** Agents that may share one sandbox. */
export const MAX_THREADS = 8;

/** Lines of a runner's log that are kept for people to read, and the longest of them. */
export const RUNNER_LOG_LINES = 200;
export const RUNNER_LOG_LINE_CHARS = 1_000;

/** A signed command is good for this long at most: a prompt may wait for a machine that is switched off overnight. */
export const MAX_SIGNATURE_TTL_MS = 36 * 3_600_000;

/** A socket ticket is used at once or not at all. */
export const TICKET_TTL_MS = 30_000;

/** One part of a snapshot in one request: below the smallest body limit of the platform's plans. */
export const MAX_SNAPSHOT_PART_BYTES = 32 * 1_048_576;
export const MAX_SNAPSHOT_PARTS = 64;
/** Parts of earlier snapshots that one may build on: compaction keeps it near 40, plus large ones. */
export const MAX_INHERITED_PARTS = 256;
/** Folders of installed dependencies that are saved beside the files. */
export const MAX_DEPENDENCY_LAYERS = 4;
/** A zip or tar that becomes a project, as uploaded in one request: below the smallest body limit of the platform's plans. */
export const MAX_IMPORT_BYTES = 95 * 1_048_576;
/** An uploaded archive that no project was made of is removed after this. */
export const IMPORT_TTL_MS = 24 * 3_600_000;
/** Files in one answer about what differs between two saved states. */
export const MAX_SNAPSHOT_CHANGES = 1_000;
/** A new snapshot this much smaller than its parent (in files) is refused unless it was asked for. */
export const SHRINK_GUARD_RATIO = 0.1;

/** Saved states in one page of the timeline. */
export const TIMELINE_PAGE = 50;

export const PING = "ping";
export const PONG = "pong";
