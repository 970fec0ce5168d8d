/**
 * The kill switch of this computer: a file in the machine's folder. While it is there, nothing starts, whoever asks, connected
 * or not. Set before runners are ended, so that none slips in between.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { recordedGroups } from "../runner/process-group.ts";
import { killUser, uidOf } from "./isolation.ts";
import { killFamily } from "./process-table.ts";
import { isReplaced, livingRecords, stateDirOf } from "./runner-record.ts";

const FILE = "stopped.json";

export const isStopped = (dataDir: string): boolean => existsSync(path.join(dataDir, FILE));

export function setStopped(dataDir: string, now: number): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(dataDir, FILE), JSON.stringify({ stoppedAt: now }), { mode: 0o600 });
}

export const clearStopped = (dataDir: string): void => rmSync(path.join(dataDir, FILE), { force: true });

/** Every folder of this computer that a machine uses: the operator's, and one for each server that a person signed in to. */
export function machineDirs(dataDir: string): string[] {
  const servers = path.join(dataDir, "servers");
  const own = existsSync(servers) ? readdirSync(servers).map((name) => path.join(servers, name)) : [];
  return existsSync(path.join(dataDir, "sessions")) || own.length === 0 ? [dataDir, ...own] : own;
}

export interface Ended {
  sessionId: string;
  isGone: boolean;
}

/** Ends what runs below a machine's folder, with all its children; looks again until nothing new has come up. */
export async function endRunners(dataDir: string, sessionId?: string): Promise<Ended[]> {
  const ended = new Map<string, boolean>();
  for (;;) {
    const records = (await livingRecords(dataDir)).filter((record) => sessionId === undefined || record.sessionId === sessionId);
    const fresh = records.filter((record) => ended.get(`${record.sessionId} ${record.incarnation}`) === undefined);
    if (fresh.length === 0) break;
    await Promise.all(
      fresh.map(async (record) => {
        const agents = recordedGroups(stateDirOf(dataDir, record.sessionId));
        const uid = uidOf(dataDir, record.sessionId);
        const isGone = await (uid === null ? killFamily(isReplaced(record) ? agents : [record.pid, ...agents]) : killUser(uid));
        ended.set(`${record.sessionId} ${record.incarnation}`, isGone);
      }),
    );
  }
  return [...ended].map(([name, isGone]) => ({ sessionId: name.split(" ")[0] ?? name, isGone }));
}
