/**
 * What may leave the session's sandbox, and what people allowed beyond its network setting (SPEC NW). Owns
 * `egress_allowances` and `egress_blocks`. The rules of a setting are the port's; here is who allowed what, for how long,
 * and how a block becomes one line in the log instead of thousands.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author } from "@ai-dev-platform/protocol/events";
import { BLOCKED_HOST_EVENT_MS } from "@ai-dev-platform/protocol/limits";
import type { AllowScope, Network } from "@ai-dev-platform/protocol/modes";
import { httpsForm } from "@ai-dev-platform/protocol/repository";
import type { EgressCall, EgressVerdict, GitAccess } from "./api.ts";
import type { BaseParts } from "./parts.ts";

/** "Once" is one undertaking, not one request: a clone or an install makes several. */
const ONCE_WINDOW_MS = 60_000;
/** A host that the owner allows or forgets elsewhere counts here after this. */
const ALWAYS_STALE_MS = 60_000;
/** Hosts whose blocks are counted; a program that tries more names only fills the log. */
const MAX_COUNTED_HOSTS = 500;
/** Block events in a minute, of all hosts together. */
const MAX_BLOCK_EVENTS = 30;
const ALWAYS_RETRY_MS = 30_000;

const FENCED: EgressVerdict = { decision: "deny", reason: "fenced" };

export class Egress {
  readonly #parts: BaseParts;
  #always: { hosts: string[]; at: number } | null = null;

  constructor(parts: BaseParts) {
    this.#parts = parts;
  }

  async authorize(call: EgressCall): Promise<EgressVerdict> {
    if (!this.#parts.link.isCurrent(call.incarnation)) return FENCED;
    await this.#refreshAlways();
    return this.#parts.ledger.transact(() => this.#judge(call));
  }

  #judge({ incarnation, ...request }: EgressCall): EgressVerdict {
    const { ports, ledger, link } = this.#parts;
    if (!link.isCurrent(incarnation)) return FENCED;
    const { network } = ledger.state;
    const standing = [...(this.#always?.hosts ?? []), ...this.#hostsOf("session"), ...this.#hostsOf("always")];
    const verdict = ports.egress.decide(network, standing, request);
    if (verdict.decision === "allow") return verdict;
    if (this.#hasOnce(request.host)) {
      const once = ports.egress.decide(network, [...standing, request.host], request);
      if (once.decision === "allow") {
        this.#useOnce(request.host);
        return once;
      }
    }
    this.#noteBlock(request.host, request.method);
    return verdict;
  }

  /** The log says who allowed what; a host that is denied for all is refused, because the promise could not be kept. */
  allow(host: string, scope: AllowScope, author: Author): { ok: true } | { ok: false; code: ErrorCode } {
    const { ports, sql, ledger, ctx } = this.#parts;
    const everything: Network = { level: "full", hosts: [] };
    const verdict = ports.egress.decide(everything, [host], { host, method: "GET" });
    if (verdict.decision === "deny") return { ok: false, code: "host_never_allowed" };
    ledger.append({ event: { type: "host_allowed", host, scope, author } });
    sql.exec(
      `INSERT INTO egress_allowances (host, scope, used_at) VALUES (?1, ?2, NULL) ON CONFLICT (host, scope) DO UPDATE SET used_at = NULL`,
      host,
      scope,
    );
    sql.exec(`DELETE FROM egress_blocks WHERE host = ?`, host);
    if (scope === "always") ledger.afterCommit(() => ctx.waitUntil(this.storeAlways()));
    return { ok: true };
  }

  /** Hands hosts that were allowed for always to the owner's list; what fails is tried again by an alarm. */
  async storeAlways(): Promise<void> {
    const { ports, sql, ledger, alarms, init } = this.#parts;
    const ownerId = init()?.ownerId;
    if (ownerId === undefined) return;
    try {
      for (const host of this.#hostsOf("always")) {
        await ports.allowedHosts.add(ownerId, host);
        sql.exec(`DELETE FROM egress_allowances WHERE host = ? AND scope = 'always'`, host);
        // Read anew before the next verdict.
        this.#always = null;
      }
    } catch (error) {
      ports.log.warn("allowed_host_not_stored", { reason: String(error) });
      if (init() !== null) ledger.transact(() => alarms.arm("allowed_hosts", ports.clock.now() + ALWAYS_RETRY_MS));
    }
  }

  /** Blocks that were counted since a host's last event. */
  flushBlocks(): void {
    const { sql, ports } = this.#parts;
    const now = ports.clock.now();
    const rows = sql
      .exec<{ host: string; method: string; pending: number }>(
        `SELECT host, method, pending FROM egress_blocks WHERE pending > 0 AND logged_at <= ? ORDER BY logged_at`,
        now - BLOCKED_HOST_EVENT_MS,
      )
      .toArray();
    for (const { host, method, pending } of rows) if (this.#hasRoomForEvent(now)) this.#logBlock(host, method, pending, now);
    this.#armFlush(now);
  }

  #noteBlock(host: string, method: string): void {
    const { sql, ports } = this.#parts;
    const now = ports.clock.now();
    const row = sql
      .exec<{ pending: number; logged_at: number }>(`SELECT pending, logged_at FROM egress_blocks WHERE host = ?`, host)
      .toArray()[0];
    if (row === undefined) {
      const { n } = sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM egress_blocks`).one();
      if (n >= MAX_COUNTED_HOSTS) return;
    }
    const count = (row?.pending ?? 0) + 1;
    if (now - (row?.logged_at ?? 0) >= BLOCKED_HOST_EVENT_MS && this.#hasRoomForEvent(now)) return this.#logBlock(host, method, count, now);
    sql.exec(
      `INSERT INTO egress_blocks (host, method, pending, logged_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (host) DO UPDATE SET pending = ?3`,
      host,
      method,
      count,
      row?.logged_at ?? now - BLOCKED_HOST_EVENT_MS,
    );
    this.#armFlush(now);
  }

  #logBlock(host: string, method: string, count: number, now: number): void {
    const { sql, ledger } = this.#parts;
    sql.exec(
      `INSERT INTO egress_blocks (host, method, pending, logged_at) VALUES (?1, ?2, 0, ?3) ON CONFLICT (host) DO UPDATE SET pending = 0, logged_at = ?3`,
      host,
      method,
      now,
    );
    ledger.append({ event: { type: "host_blocked", host, method: method.slice(0, 20), count } });
  }

  #hasRoomForEvent(now: number): boolean {
    const { n } = this.#parts.sql
      .exec<{ n: number }>(`SELECT COUNT(*) AS n FROM egress_blocks WHERE logged_at > ?`, now - BLOCKED_HOST_EVENT_MS)
      .one();
    return n < MAX_BLOCK_EVENTS;
  }

  #armFlush(now: number): void {
    const { sql, alarms } = this.#parts;
    const { at } = sql.exec<{ at: number | null }>(`SELECT MIN(logged_at) AS at FROM egress_blocks WHERE pending > 0`).one();
    if (at === null) return alarms.disarm("egress_blocks");
    const due = Math.max(at + BLOCKED_HOST_EVENT_MS, now + 1_000);
    if (alarms.deadline("egress_blocks") === null || at + BLOCKED_HOST_EVENT_MS <= now) alarms.arm("egress_blocks", due);
  }

  #hostsOf(scope: AllowScope): string[] {
    return this.#parts.sql
      .exec<{ host: string }>(`SELECT host FROM egress_allowances WHERE scope = ?`, scope)
      .toArray()
      .map((row) => row.host);
  }

  #hasOnce(host: string): boolean {
    const { sql, ports } = this.#parts;
    const oldest = ports.clock.now() - ONCE_WINDOW_MS;
    sql.exec(`DELETE FROM egress_allowances WHERE scope = 'once' AND used_at < ?`, oldest);
    return sql.exec(`SELECT 1 AS one FROM egress_allowances WHERE scope = 'once' AND host = ?`, host).toArray().length > 0;
  }

  #useOnce(host: string): void {
    const now = this.#parts.ports.clock.now();
    this.#parts.sql.exec(`UPDATE egress_allowances SET used_at = COALESCE(used_at, ?) WHERE scope = 'once' AND host = ?`, now, host);
  }

  /** A list that cannot be read now is the one that was read last: nothing is opened by a failure. */
  async #refreshAlways(): Promise<void> {
    const { ports, init } = this.#parts;
    const now = ports.clock.now();
    if (this.#always !== null && now - this.#always.at < ALWAYS_STALE_MS) return;
    try {
      this.#always = { hosts: await ports.allowedHosts.list(init()?.ownerId ?? ""), at: now };
    } catch (error) {
      ports.log.warn("allowed_hosts_unread", { reason: String(error) });
      this.#always = { hosts: this.#always?.hosts ?? [], at: now };
    }
  }
}

/** The session's own repository, and the branches that its agent may push to. */
export function gitAccess(parts: BaseParts, incarnation: number, url: string): GitAccess | null {
  const init = parts.init();
  if (init === null || init.source.kind !== "git" || !parts.link.isCurrent(incarnation)) return null;
  const repositoryUrl = httpsForm(init.source.url);
  const own = repositoryOf(repositoryUrl);
  if (own === null || own !== repositoryOf(url)) return null;
  return { ownerId: init.ownerId, repositoryUrl, branchPattern: branchPatternOf(init.sessionId) };
}

/** Long enough to tell a person's sessions apart, short enough to read. */
const BRANCH_ID_CHARS = 8;
export const branchPatternOf = (sessionId: string): string => `ai-dev/${sessionId.slice("ses_".length).slice(0, BRANCH_ID_CHARS)}*`;

/** Host and path of a repository, without what does not tell repositories apart; null when it is no such address. */
function repositoryOf(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { protocol, host, pathname } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") return null;
  return `${host}${pathname.replace(/\/+$/, "").replace(/\.git$/, "")}`;
}
