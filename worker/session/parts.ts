/** The parts of one session, wired: what use cases are given. Holds no logic of its own. */
import type { Author } from "@ai-dev-platform/protocol/events";
import { formatId, ID_RANDOM_BYTES, type IdKind } from "@ai-dev-platform/protocol/ids";
import type { LogEntry } from "@ai-dev-platform/protocol/events";
import { Alarms } from "./alarms.ts";
import type { SessionInit } from "./api.ts";
import { Approvals } from "./approvals.ts";
import { Conductor } from "./conductor.ts";
import { DirectoryFeed } from "./directory-feed.ts";
import { Egress } from "./egress.ts";
import { HostEnds } from "./host-ends.ts";
import { NoticeFeed } from "./notice-feed.ts";
import { HostUse } from "./host-use.ts";
import { Lease } from "./lease.ts";
import { Ledger } from "./ledger.ts";
import { LiveText } from "./live.ts";
import { isSamePlace, Places, type Place } from "./place.ts";
import type { SessionPorts } from "./ports.ts";
import { PromptQueue } from "./prompt-queue.ts";
import { RunnerLink } from "./runner-link.ts";
import { RunnerLog } from "./runner-log.ts";
import { SavedQueries } from "./saved-queries.ts";
import { migrate } from "./tables.ts";
import { Uploads } from "./uploads.ts";
import { Viewers } from "./viewers.ts";

export interface SessionParts {
  readonly ctx: DurableObjectState;
  readonly sql: SqlStorage;
  readonly ports: SessionPorts;
  readonly ledger: Ledger;
  readonly alarms: Alarms;
  readonly link: RunnerLink;
  readonly live: LiveText;
  readonly viewers: Viewers;
  readonly prompts: PromptQueue;
  readonly approvals: Approvals;
  readonly conductor: Conductor;
  readonly directory: DirectoryFeed;
  readonly notices: NoticeFeed;
  readonly use: HostUse;
  readonly runnerLog: RunnerLog;
  readonly egress: Egress;
  readonly lease: Lease;
  readonly ends: HostEnds;
  readonly uploads: Uploads;
  readonly saved: SavedQueries;
  readonly places: Places;
  /** The outside as seen from another place than that of now. */
  portsAt(place: Place): SessionPorts;
  /** What was asked for at creation, at the place of now; null before it. */
  init(): SessionInit | null;
  newId(kind: IdKind): string;
}

/** What the parts that hold no other part are given. */
export type BaseParts = Omit<SessionParts, "conductor" | "egress" | "lease" | "ends" | "saved" | "uploads" | "notices">;

export type PortsFor = (place: Place) => SessionPorts;

export function wireParts(ctx: DurableObjectState, portsFor: PortsFor): SessionParts {
  const { storage } = ctx;
  const { sql } = storage;
  migrate(storage);
  const places = new Places(sql);
  const initOf = () => places.init();
  const ports = lazyPorts(portsFor, places);
  const now = () => ports.clock.now();
  const tell = (entries: readonly LogEntry[]) => {
    viewers.push(entries);
    directory.hear(entries);
  };
  const ledger = new Ledger(storage, now, tell);
  const alarms = new Alarms(storage);
  const live = new LiveText(sql, (frame) => viewers.broadcast(frame));
  const viewers: Viewers = new Viewers(ctx, ledger, live);
  const link = new RunnerLink(ctx);
  const prompts = new PromptQueue(sql, ledger);
  const approvals = new Approvals(sql, ledger, alarms);
  const newId = (kind: IdKind) => formatId(kind, ports.random.bytes(ID_RANDOM_BYTES));
  const directory: DirectoryFeed = new DirectoryFeed({ ctx, sql, ports, ledger, alarms, places });
  const use = new HostUse(sql, ledger, alarms, now);
  const runnerLog = new RunnerLog(sql, now);
  const doors = { ctx, sql, ports, ledger, alarms, link, live, viewers, prompts, approvals, directory };
  const bare: BaseParts = { ...doors, use, runnerLog, places, portsAt: portsFor, init: initOf, newId };
  const uploads = new Uploads(bare);
  const base = {
    ...bare,
    uploads,
    egress: new Egress(bare),
    lease: new Lease(bare),
    ends: new HostEnds(bare),
    saved: new SavedQueries(bare),
    notices: new NoticeFeed(bare),
  };
  const conductor = new Conductor(base);
  const afterRollback = () => {
    conductor.forget();
    places.forget();
  };
  const beforeCommit = (entries: readonly LogEntry[]) => {
    base.notices.note(entries);
    alarms.sync();
  };
  ledger.setHooks({ beforeCommit, afterRollback });
  return { ...base, conductor };
}

/** Ports are made at first use; made anew at creation, which names the machine, and at a move. */
function lazyPorts(portsFor: PortsFor, places: Places): SessionPorts {
  let made: { place: Place; ports: SessionPorts } | null = null;
  const get = (): SessionPorts => {
    const place = places.now;
    if (made === null || !isSamePlace(made.place, place)) made = { place, ports: portsFor(place) };
    return made.ports;
  };
  return {
    get clock() {
      return get().clock;
    },
    get random() {
      return get().random;
    },
    get host() {
      return get().host;
    },
    get snapshots() {
      return get().snapshots;
    },
    get savedFiles() {
      return get().savedFiles;
    },
    get storage() {
      return get().storage;
    },
    get directory() {
      return get().directory;
    },
    get settings() {
      return get().settings;
    },
    get allowedHosts() {
      return get().allowedHosts;
    },
    get egress() {
      return get().egress;
    },
    get offers() {
      return get().offers;
    },
    get notices() {
      return get().notices;
    },
    get log() {
      return get().log;
    },
  };
}

export const ownerOf = (init: SessionInit): Author => ({ userId: init.ownerId, name: init.ownerName });
