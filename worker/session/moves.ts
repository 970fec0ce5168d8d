/**
 * Moving a session to another host by a saved state (SPEC SN11). Owns `moves`.
 *
 * What the workspace holds is saved first, and only a save that is safe lets the runner go; when that incarnation is
 * fenced, the place changes, and the next start hydrates there. No turn begins meanwhile. A save that fails ends the move:
 * the session stays, with all its files. What is left on the old host is a cache; nobody there can commit any more.
 */
import { isErrorCode, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import { authorSchema, type Author } from "@ai-dev-platform/protocol/events";
import * as z from "zod";
import { enterDirect, hasFilesTurnAfter, leaveDirect, placeLeft } from "./direct-talk.ts";
import { openExecutions } from "./execution-rows.ts";
import { problemOf } from "./flow.ts";
import { judgeMove, type MoveFacts } from "./judge-move.ts";
import type { BaseParts, SessionParts } from "./parts.ts";
import { dropSilentRunner } from "./runner-alive.ts";
import { RUNNER_ALIVE_CHECK_MS } from "./steps.ts";
import { isSamePlace, placeSchema, readPlace, type Place } from "./place.ts";

/** A first save of a large workspace takes minutes; longer than this is a hang. */
const MOVE_SAVE_DEADLINE_MS = 10 * 60_000;

const NOT_SAVED = "It was not saved, so it stays where it is.";
const GONE = "The runner ended before all was saved, so it stays where it is.";
const LEFT_BEHIND =
  "What came after the last save lies on the machine that was left. It is not lost: go back there to have it. Until then the model sees the last saved state.";
const LATE = "The save took too long, so it stays where it is.";

export type MoveOutcome = { ok: true } | { ok: false; code: ErrorCode; detail?: string };
interface Request {
  requestId: string;
  wanted: Place;
  author: Author;
}
/** As it was when the move was accepted: a machine never changes hands. */
const wantedSchema = placeSchema.extend({ isOwnMachine: z.boolean().optional() });
/** `saving`: not safe yet. `leaving`: safe; the runner goes. */
interface Pending extends Request {
  wanted: z.infer<typeof wantedSchema>;
  state: "saving" | "leaving";
}

const refusalSchema = z.object({ code: z.string(), detail: z.string() });
type Row = { request_id: string; wanted: string; author: string; state: string; refusal: string | null };

/** Accepted moves go on by themselves; how they end is an event. The same request again has the same answer. */
export async function requestMove(parts: SessionParts, request: Request): Promise<MoveOutcome> {
  const known = answerKnown(parts, request);
  if (known !== null) return known;
  const { init, ledger, places, ports } = parts;
  const ownerId = init()?.ownerId ?? "";
  // While it is direct, what may be out of reach lies where it was before.
  const homeOf = () => placeLeft(parts.sql)?.place ?? places.now;
  const home = homeOf();
  const { machineId } = request.wanted;
  const [refusal, lost, isOwnMachine] = await Promise.all([
    ports.offers.refusal(ownerId, request.wanted),
    ports.offers.refusal(ownerId, home),
    machineId === null ? false : ports.offers.isOwnMachine(machineId),
  ]);
  if (init() === null) return { ok: false, code: "session_deleted" };
  return ledger.transact(() => {
    const early = answerKnown(parts, request);
    if (early !== null) return early;
    const verdict = judgeMove({ ...factsOf(parts), isPlaceLost: lost !== null && isSamePlace(home, homeOf()) }, request.wanted);
    if (verdict === "same") return { ok: true };
    if (typeof verdict !== "string") return { ok: false, ...verdict };
    if (refusal !== null) return { ok: false, code: "move_refused", detail: refusal };
    return begin(parts, { ...request, isOwnMachine }, verdict);
  });
}

/** Null: it is a new one, and none is under way. */
function answerKnown({ sql }: SessionParts, request: Request): MoveOutcome | null {
  const known = readMove(sql, request.requestId);
  if (known !== null) return isSamePlace(readPlace(known.wanted), request.wanted) ? answerOf(known) : { ok: false, code: "conflict" };
  return pendingMove(sql) === null ? null : { ok: false, code: "move_refused", detail: "It is on its way to another host already." };
}

function answerOf({ refusal }: Row): MoveOutcome {
  if (refusal === null) return { ok: true };
  const { code, detail } = refusalSchema.parse(JSON.parse(refusal));
  return { ok: false, code: isErrorCode(code) ? code : "move_refused", detail };
}

function begin(parts: SessionParts, request: Request & { isOwnMachine: boolean }, verdict: "now" | "save_first" | "leave"): MoveOutcome {
  const { sql, alarms, conductor, ports } = parts;
  const state: Pending["state"] = verdict === "save_first" ? "saving" : "leaving";
  const { requestId, wanted, isOwnMachine, author } = request;
  sql.exec(
    `INSERT INTO moves (request_id, wanted, author, state, refusal) VALUES (?, ?, ?, ?, NULL)`,
    requestId,
    JSON.stringify({ host: wanted.host, machineId: wanted.machineId, isOwnMachine }),
    JSON.stringify(author),
    state,
  );
  if (verdict === "now") {
    applyMove(parts);
    conductor.goOnElsewhere();
  } else if (state === "leaving") leave(parts);
  else {
    const now = ports.clock.now();
    alarms.arm("move", now + MOVE_SAVE_DEADLINE_MS);
    alarms.arm("runner_alive", now + RUNNER_ALIVE_CHECK_MS);
    askSave(parts);
    // A machine that fell asleep closes no socket, and saves nothing.
    dropSilentRunner(parts);
  }
  return { ok: true };
}

function askSave({ ledger, link, newId }: SessionParts): void {
  const requestId = newId("request");
  ledger.afterCommit(() => void link.send({ type: "save", requestId, asked: false }));
}

/** The runner is back: what it said of the save meanwhile may be lost. */
export function resumeMove(parts: SessionParts): void {
  if (pendingMove(parts.sql)?.state === "saving") askSave(parts);
}

function factsOf({ conductor, init, ledger, places, sql }: SessionParts): Omit<MoveFacts, "isPlaceLost"> {
  const { state } = ledger;
  const { turns, runner } = conductor.flow;
  return {
    place: places.now,
    turns: turns.length + openExecutions(sql).length,
    runner: runner.state,
    lifecycle: state.lifecycle,
    isInPlace: init()?.source.kind === "path",
    hasUnsavedTurn: hasUnsaved({ ledger, sql }),
    left: placeLeft(sql),
  };
}

function hasUnsaved({ ledger, sql }: Pick<BaseParts, "ledger" | "sql">): boolean {
  const { safe_seq: safeSeq } = sql.exec<{ safe_seq: number }>(`SELECT safe_seq FROM session`).one();
  return hasFilesTurnAfter(sql, Math.max(safeSeq, ledger.state.saved?.throughSeq ?? 0));
}

/** A save came to its end. */
export function hearSave(parts: SessionParts, isSafe: boolean): void {
  const pending = pendingMove(parts.sql);
  if (pending === null) return;
  if (!isSafe) return failMove(parts, NOT_SAVED);
  if (pending.state === "leaving") return;
  parts.sql.exec(`UPDATE moves SET state = 'leaving' WHERE request_id = ?`, pending.requestId);
  parts.alarms.disarm("move");
  leave(parts);
}

/** All is stored: the runner may go. */
function leave(parts: SessionParts): void {
  const { conductor } = parts;
  if (conductor.flow.runner.state === "ready") conductor.feed({ type: "deadline", name: "runner_idle" });
  const { state } = conductor.flow.runner;
  if (pendingMove(parts.sql) !== null && state !== "retiring" && state !== "killing") failMove(parts, GONE);
}

/** The alarm: the save never came to an end. */
export function passMoveDeadline(parts: SessionParts): void {
  if (pendingMove(parts.sql)?.state === "saving") failMove(parts, LATE);
}

function failMove(parts: SessionParts, detail: string): void {
  endFailed(parts, detail);
  parts.conductor.feed({ type: "proceed", mayStart: true });
}

/** The last runner is fenced: nobody can save any more. True when the place is another one now. */
export function settleMove(parts: BaseParts): boolean {
  const pending = pendingMove(parts.sql);
  if (pending === null) return false;
  // Without its runner a session may still become direct: what was not saved stays on the machine's disk.
  if (pending.state === "leaving" || pending.wanted.host === "direct") return applyMove(parts);
  endFailed(parts, GONE);
  return false;
}

function endFailed({ sql, alarms, ledger }: BaseParts, detail: string): void {
  const pending = pendingMove(sql);
  if (pending === null) return;
  const refusal = JSON.stringify({ code: "move_refused", detail });
  sql.exec(`UPDATE moves SET state = 'failed', refusal = ? WHERE request_id = ?`, refusal, pending.requestId);
  alarms.disarm("move");
  const { host: to, machineId } = pending.wanted;
  const problem = problemOf("move_refused", detail);
  ledger.append({ event: { type: "host_move_failed", to, machineId, problem, author: pending.author } });
}

function applyMove({ sql, alarms, ledger, places, use }: BaseParts): boolean {
  const pending = pendingMove(sql);
  if (pending === null) return false;
  const { requestId, wanted, author } = pending;
  const left = { place: places.now, ranOn: places.ofRun.machineId };
  const from = left.place.host;
  sql.exec(`UPDATE moves SET state = 'done' WHERE request_id = ?`, requestId);
  alarms.disarm("move");
  places.moveTo(wanted);
  const { host: to, machineId, isOwnMachine } = wanted;
  const { seq } = ledger.append({
    event: { type: "host_moved", from, to, machineId, ...(isOwnMachine === true ? { isOwnMachine } : {}), author },
  });
  if (from === "direct") leaveDirect(sql, seq);
  if (to === "direct") {
    enterDirect(sql, seq, left);
    if (from === "machine" && hasUnsaved({ ledger, sql }))
      ledger.append({ event: { type: "notice", level: "warning", text: LEFT_BEHIND } });
  }
  const { hostSeconds: seconds, maxHours } = ledger.state;
  // Back to where hours count, and all are used.
  if (wanted.host === "sandbox" && use.leftMs() === 0) ledger.append({ event: { type: "time_cap_reached", seconds, maxHours } });
  return true;
}

export const isMoving = (sql: SqlStorage): boolean =>
  sql.exec(`SELECT 1 AS one FROM moves WHERE state IN ('saving', 'leaving')`).toArray().length > 0;

export function isLeavingHost(sql: SqlStorage): boolean {
  const pending = pendingMove(sql);
  return pending?.state === "leaving" || pending?.wanted.host === "direct";
}

function pendingMove(sql: SqlStorage): Pending | null {
  const row = sql.exec<Row>(`SELECT * FROM moves WHERE state IN ('saving', 'leaving')`).toArray()[0];
  if (row === undefined) return null;
  const wanted = wantedSchema.parse(JSON.parse(row.wanted));
  const author = authorSchema.parse(JSON.parse(row.author));
  return { requestId: row.request_id, wanted, author, state: row.state === "saving" ? "saving" : "leaving" };
}

const readMove = (sql: SqlStorage, requestId: string): Row | null =>
  sql.exec<Row>(`SELECT * FROM moves WHERE request_id = ?`, requestId).toArray()[0] ?? null;
