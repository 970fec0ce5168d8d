/**
 * Where a session's runners live, and where they lived before. Owns the columns `place` and `ran_on` and the table
 * `past_places`. What was asked for at creation never changes; a move is written beside it.
 */
import { machineIdSchema } from "@ai-dev-platform/protocol/ids";
import { hostKindSchema } from "@ai-dev-platform/protocol/events";
import type { HostKind } from "@ai-dev-platform/protocol/modes";
import * as z from "zod";
import type { SessionInit } from "./api.ts";

export interface Place {
  host: HostKind;
  /** Null: a sandbox, or any of the operator's machines. */
  machineId: string | null;
}

export const placeSchema = z.object({ host: hostKindSchema, machineId: machineIdSchema.nullable() });
export const readPlace = (text: string): Place => placeSchema.parse(JSON.parse(text));

const placeOf = (init: SessionInit | null): Place => ({ host: init?.host ?? "machine", machineId: init?.machineId ?? null });

export const isSamePlace = (a: Place, b: Place): boolean => a.host === b.host && a.machineId === b.machineId;

export class Places {
  readonly #sql: SqlStorage;
  #known: SessionInit | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** What was asked for at creation, at the place of now; null before it. */
  init(): SessionInit | null {
    if (this.#known !== null) return this.#known;
    const row = this.#sql.exec<{ init: string; place: string | null }>(`SELECT init, place FROM session`).toArray()[0];
    if (row === undefined) return null;
    const created: SessionInit = JSON.parse(row.init);
    this.#known = row.place === null ? created : { ...created, ...readPlace(row.place) };
    return this.#known;
  }

  get now(): Place {
    return placeOf(this.init());
  }

  /** Of the newest run: more exact than where it was ordered to, where any machine would do. */
  get ofRun(): Place {
    const { now } = this;
    if (now.host !== "machine" || now.machineId !== null) return now;
    return { ...now, machineId: this.#sql.exec<{ ran_on: string | null }>(`SELECT ran_on FROM session`).one().ran_on };
  }

  noteRan(machineId: string): void {
    this.#sql.exec(`UPDATE session SET ran_on = ?`, machineId);
  }

  /** From the next start on. Files that are left behind are a cache, forgotten with the session. */
  moveTo(place: Place): void {
    this.#sql.exec(`INSERT INTO past_places (place) VALUES (?) ON CONFLICT DO NOTHING`, JSON.stringify(this.now));
    this.#sql.exec(`UPDATE session SET place = ?, ran_on = NULL`, JSON.stringify({ host: place.host, machineId: place.machineId }));
    this.forget();
  }

  /** Places that it left; the one of now may be among them. */
  past(): Place[] {
    return this.#sql
      .exec<{ place: string }>(`SELECT place FROM past_places`)
      .toArray()
      .map((row) => readPlace(row.place))
      .filter((place) => !isSamePlace(place, this.now));
  }

  /** After a rollback. */
  forget(): void {
    this.#known = null;
  }
}
