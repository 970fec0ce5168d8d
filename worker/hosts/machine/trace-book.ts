/** What is known of a machine while it is away, in one SQLite row: its name, its folders, when it came and went. */
import * as z from "zod";
import type { Traces } from "./presence.ts";

const rowSchema = z.object({ name: z.string(), folders: z.string(), hello_at: z.number(), gone_at: z.number(), has_left: z.number() });
const foldersSchema = z.array(z.string());

export interface Known extends Traces {
  name: string;
  folders: string[];
}

export class TraceBook {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS known (
      id INTEGER PRIMARY KEY CHECK (id = 0),
      name TEXT NOT NULL,
      folders TEXT NOT NULL,
      hello_at INTEGER NOT NULL,
      gone_at INTEGER NOT NULL,
      has_left INTEGER NOT NULL
    ) STRICT`);
    sql.exec("INSERT OR IGNORE INTO known VALUES (0, '', '[]', 0, 0, 0)");
  }

  get(): Known {
    const row = rowSchema.parse(this.#sql.exec("SELECT name, folders, hello_at, gone_at, has_left FROM known").one());
    const { name, hello_at: helloAt, gone_at: goneAt } = row;
    return { name, folders: foldersSchema.parse(JSON.parse(row.folders)), helloAt, goneAt, hasLeft: row.has_left === 1 };
  }

  came(name: string, at: number): void {
    this.#sql.exec("UPDATE known SET name = ?, hello_at = ?, has_left = 0", name, at);
  }

  went(at: number, hasLeft: boolean): void {
    this.#sql.exec("UPDATE known SET gone_at = ?, has_left = ?", at, hasLeft ? 1 : 0);
  }

  setFolders(folders: readonly string[]): void {
    this.#sql.exec("UPDATE known SET folders = ?", JSON.stringify(folders));
  }
}
