/**
 * The session's own SQLite tables, as ordered migrations. A migration that was deployed is never edited: a session
 * that slept for a year runs the ones it has not seen. Text columns that hold JSON are written and read by the module
 * that owns the table.
 */
interface Migration {
  readonly id: number;
  readonly description: string;
  run(sql: SqlStorage): void;
}

const FIRST_TABLES = [
  /** One row: what was asked for at creation, and the small facts that are not events. */
  `CREATE TABLE session (one INTEGER PRIMARY KEY CHECK (one = 1), init TEXT NOT NULL, flow TEXT NOT NULL, spent_usd REAL NOT NULL DEFAULT 0,
     loose_usage TEXT, agent_session_id TEXT, is_save_asked INTEGER NOT NULL DEFAULT 0, archived INTEGER NOT NULL DEFAULT 0)`,
  `CREATE TABLE tombstone (one INTEGER PRIMARY KEY CHECK (one = 1), deleted_at INTEGER NOT NULL)`,
  `CREATE TABLE log_head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL)`,
  `INSERT INTO log_head (one, seq) VALUES (1, 0)`,
  `CREATE TABLE events (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, thread TEXT NOT NULL, turn_id TEXT, event TEXT NOT NULL, incarnation INTEGER, rseq INTEGER)`,
  `CREATE TABLE state_checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, seq INTEGER NOT NULL, state TEXT NOT NULL)`,
  `CREATE TABLE prompts (prompt_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, handed_turn_id TEXT) WITHOUT ROWID`,
  `CREATE TABLE turns (turn_id TEXT PRIMARY KEY, prompt_id TEXT NOT NULL, thread TEXT NOT NULL, incarnation INTEGER NOT NULL,
     prompt_text TEXT, started_at INTEGER NOT NULL, ended_at INTEGER, usage TEXT NOT NULL, trouble TEXT)`,
  `CREATE UNIQUE INDEX one_open_turn ON turns (thread) WHERE ended_at IS NULL`,
  `CREATE TABLE approvals (approval_id TEXT PRIMARY KEY, request TEXT NOT NULL, turn_id TEXT, expires_at INTEGER NOT NULL, state TEXT NOT NULL, answer TEXT)`,
  `CREATE TABLE runner (one INTEGER PRIMARY KEY CHECK (one = 1), incarnation INTEGER NOT NULL, link_hash TEXT, model_hash TEXT,
     acked_rseq INTEGER NOT NULL DEFAULT 0, bad_frames INTEGER NOT NULL DEFAULT 0)`,
  `CREATE TABLE past_links (link_hash TEXT PRIMARY KEY, incarnation INTEGER NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE grants (grant_id TEXT PRIMARY KEY, role TEXT NOT NULL, expires_at INTEGER, revoked_at INTEGER) WITHOUT ROWID`,
  `CREATE TABLE tickets (ticket_hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL, user_id TEXT, name TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE deadlines (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE live_blocks (thread TEXT NOT NULL, block TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, parent_tool_id TEXT, PRIMARY KEY (thread, block)) WITHOUT ROWID`,
  `CREATE TABLE snapshots (snapshot_id TEXT PRIMARY KEY, ref TEXT NOT NULL, seq INTEGER NOT NULL)`,
  `CREATE TABLE model_calls (call_id TEXT PRIMARY KEY, incarnation INTEGER NOT NULL, turn_id TEXT, estimate_usd REAL NOT NULL, started_at INTEGER NOT NULL) WITHOUT ROWID`,
];

const SANDBOX_TABLES = [
  `CREATE TABLE host_runs (incarnation INTEGER PRIMARY KEY, counted_at INTEGER NOT NULL, is_open INTEGER NOT NULL)`,
  `CREATE TABLE host_ends (incarnation INTEGER PRIMARY KEY, attempts INTEGER NOT NULL)`,
  `CREATE TABLE egress_allowances (host TEXT NOT NULL, scope TEXT NOT NULL, used_at INTEGER, PRIMARY KEY (host, scope)) WITHOUT ROWID`,
  `CREATE TABLE egress_blocks (host TEXT PRIMARY KEY, method TEXT NOT NULL, pending INTEGER NOT NULL, logged_at INTEGER NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE runner_log (n INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, line TEXT NOT NULL)`,
  `ALTER TABLE session ADD COLUMN busy_tasks INTEGER NOT NULL DEFAULT 0`,
];

const REWIND_COLUMNS = [
  `ALTER TABLE snapshots ADD COLUMN through_seq INTEGER NOT NULL DEFAULT 0`,
  `UPDATE snapshots SET through_seq = seq`,
  /** JSON: the agent's own conversation of each thread at that time. */
  `ALTER TABLE snapshots ADD COLUMN conversations TEXT NOT NULL DEFAULT '{}'`,
  /** The beginning of the prompt it was saved after. */
  `ALTER TABLE snapshots ADD COLUMN label TEXT NOT NULL DEFAULT ''`,
  `ALTER TABLE session ADD COLUMN rewind_to TEXT`,
];

const MOVE_TABLES = [
  /** JSON of the place where runners live now; null: as at creation. */
  `ALTER TABLE session ADD COLUMN place TEXT`,
  /** The machine of the newest run, where any would do. */
  `ALTER TABLE session ADD COLUMN ran_on TEXT`,
  /** Up to here the runner found nothing to save. */
  `ALTER TABLE session ADD COLUMN safe_seq INTEGER NOT NULL DEFAULT 0`,
  /** Of all kept states; null: to be counted. */
  `ALTER TABLE session ADD COLUMN stored_bytes INTEGER`,
  /** The head that the directory was told of last. */
  `ALTER TABLE session ADD COLUMN told_snapshot_id TEXT`,
  `CREATE TABLE moves (request_id TEXT PRIMARY KEY, wanted TEXT NOT NULL, author TEXT NOT NULL, state TEXT NOT NULL, refusal TEXT) WITHOUT ROWID`,
  `CREATE TABLE past_places (place TEXT PRIMARY KEY) WITHOUT ROWID`,
  `ALTER TABLE host_ends ADD COLUMN place TEXT`,
];

const SIGNATURE_COLUMNS = [
  /** JSON, as the browser made it: kept beside what waits, never in the log. */
  `ALTER TABLE prompts ADD COLUMN signature TEXT`,
  `ALTER TABLE approvals ADD COLUMN signature TEXT`,
  `ALTER TABLE session ADD COLUMN mode_signature TEXT`,
  `CREATE TABLE machine_commands (nonce TEXT PRIMARY KEY, request_id TEXT NOT NULL, command TEXT NOT NULL, signature TEXT NOT NULL, expires_at INTEGER NOT NULL)`,
];

const DIRECT_TABLES = [
  `CREATE TABLE direct_spans (from_seq INTEGER PRIMARY KEY, to_seq INTEGER, left_place TEXT, left_machine TEXT)`,
  `CREATE TABLE direct_told (thread TEXT PRIMARY KEY, through_seq INTEGER NOT NULL) WITHOUT ROWID`,
];

const PROGRAM_TABLES = [
  /** Of a program's prompt: who answers in its turn, and whose spending it is. Null: a person's. */
  `ALTER TABLE prompts ADD COLUMN policy TEXT`,
  `ALTER TABLE prompts ADD COLUMN token_id TEXT`,
  /** What that token may spend from then on; null: no limit of its own. */
  `ALTER TABLE prompts ADD COLUMN budget_usd REAL`,
  /** JSON, in the order in which they are to be told; removed when they were. */
  `CREATE TABLE notices (n INTEGER PRIMARY KEY, notice TEXT NOT NULL)`,
  `ALTER TABLE session ADD COLUMN notice_failures INTEGER NOT NULL DEFAULT 0`,
];

const EXECUTION_TABLES = [
  /** `run`: what is to run, until it is handed over. `result`: whole, of the newest. Both JSON. */
  `CREATE TABLE executions (execution_id TEXT PRIMARY KEY, body_hash TEXT NOT NULL, run TEXT, incarnation INTEGER, is_stopping INTEGER NOT NULL DEFAULT 0,
     timeout_ms INTEGER NOT NULL, seq INTEGER NOT NULL, started_at INTEGER NOT NULL, due_at INTEGER NOT NULL, end_seq INTEGER, result TEXT)`,
  `CREATE INDEX open_executions ON executions (seq) WHERE end_seq IS NULL`,
];

const MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    description: "log, turns, approvals, runner, grants, deadlines",
    run: (sql) => {
      for (const statement of FIRST_TABLES) sql.exec(statement);
    },
  },
  {
    id: 2,
    description: "a conversation of the agent's own for each thread",
    run: (sql) => {
      sql.exec(`CREATE TABLE agent_sessions (thread TEXT PRIMARY KEY, agent_session_id TEXT NOT NULL) WITHOUT ROWID`);
      sql.exec(
        `INSERT INTO agent_sessions (thread, agent_session_id) SELECT 'main', agent_session_id FROM session WHERE agent_session_id IS NOT NULL`,
      );
      sql.exec(`ALTER TABLE session DROP COLUMN agent_session_id`);
    },
  },
  {
    id: 3,
    description: "sandboxes: use, ends, network, runner's log",
    run: (sql) => {
      for (const statement of SANDBOX_TABLES) sql.exec(statement);
    },
  },
  {
    id: 4,
    description: "answers that were given while their turn slept",
    run: (sql) => void sql.exec(`ALTER TABLE approvals ADD COLUMN slept_author TEXT`),
  },
  {
    id: 5,
    description: "what a deleted session still owes",
    run: (sql) => void sql.exec(`CREATE TABLE grave (one INTEGER PRIMARY KEY CHECK (one = 1), work TEXT NOT NULL)`),
  },
  {
    id: 6,
    description: "going back to a saved state",
    run: (sql) => {
      for (const statement of REWIND_COLUMNS) sql.exec(statement);
    },
  },
  {
    id: 7,
    description: "moving to another host, and what is stored in all",
    run: (sql) => {
      for (const statement of MOVE_TABLES) sql.exec(statement);
    },
  },
  {
    id: 8,
    description: "parts that are stored and not committed",
    run: (sql) => void sql.exec(`CREATE TABLE uploads (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID`),
  },
  {
    id: 9,
    description: "signatures that a person's own machine asks for",
    run: (sql) => {
      for (const statement of SIGNATURE_COLUMNS) sql.exec(statement);
    },
  },
  {
    id: 10,
    description: "parts of the log when the session was direct",
    run: (sql) => {
      for (const statement of DIRECT_TABLES) sql.exec(statement);
    },
  },
  {
    id: 11,
    description: "prompts of programs, and what is to be told outside",
    run: (sql) => {
      for (const statement of PROGRAM_TABLES) sql.exec(statement);
    },
  },
  {
    id: 12,
    description: "programs that run for a program outside",
    run: (sql) => {
      for (const statement of EXECUTION_TABLES) sql.exec(statement);
    },
  },
];

/** Brings the tables to this version. Each migration commits with its own mark. */
export function migrate(storage: DurableObjectStorage): void {
  const { sql } = storage;
  sql.exec(`CREATE TABLE IF NOT EXISTS migrations (id INTEGER PRIMARY KEY, description TEXT NOT NULL)`);
  const newest = sql.exec<{ id: number | null }>(`SELECT MAX(id) AS id FROM migrations`).one().id ?? 0;
  for (const migration of MIGRATIONS) {
    if (migration.id <= newest) continue;
    storage.transactionSync(() => {
      migration.run(sql);
      sql.exec(`INSERT INTO migrations (id, description) VALUES (?, ?)`, migration.id, migration.description);
    });
  }
}
