/**
 * The machines that a person may use, as they are now: the directory's rows, each completed by the machine's own object.
 * One that cannot be asked is shown as the directory has it. Nothing is started by looking.
 */
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import { isOlderRelease } from "@ai-dev-platform/protocol/version";
import { PLATFORM_VERSION } from "../../config.ts";
import { listMachines, type MachineRow } from "../../db/machines.ts";
import { listTitles } from "../../db/sessions.ts";
import { createLogger } from "../../log.ts";
import type { MachineDO } from "./machine-do.ts";

type Look = Awaited<ReturnType<MachineDO["look"]>>;

export async function lookAtMachines(env: Env, userId: string): Promise<MachineBody[]> {
  const rows = await listMachines(env.DB, userId);
  const looks = await Promise.all(rows.map((row) => lookAt(env, row)));
  // An operator's machine runs other people's sessions too: only the caller's own are named.
  const titles = new Map(
    (
      await listTitles(
        env.DB,
        userId,
        looks.flatMap(({ sessionIds }) => sessionIds),
      )
    ).map((session) => [session.sessionId, session]),
  );
  return rows.map((row, index) => toBody(row, looks[index] ?? asRecorded(row), titles));
}

async function lookAt(env: Env, row: MachineRow): Promise<Look> {
  try {
    return await env.MACHINE.getByName(row.machineId).look();
  } catch (cause) {
    createLogger("machine-list").warn("machine_not_asked", { reason: cause instanceof Error ? cause.message : "unknown" });
    return asRecorded(row);
  }
}

const asRecorded = ({ isOnline, running, lastSeenAt }: MachineRow): Look => ({
  state: isOnline ? (running > 0 ? "busy" : "connected") : "offline",
  since: lastSeenAt,
  folders: [],
  sessionIds: [],
});

function toBody(row: MachineRow, look: Look, titles: ReadonlyMap<string, { sessionId: string; title: string }>): MachineBody {
  const { userId, ...machine } = row;
  const isOperator = userId === null;
  const { state, sessionIds } = look;
  return {
    ...machine,
    isOperator,
    state,
    since: look.since === 0 ? row.lastSeenAt : look.since,
    isOnline: state === "connected" || state === "busy",
    isOutdated: isOlderRelease(row.agentVersion, PLATFORM_VERSION),
    folders: isOperator ? [] : look.folders,
    sessions: sessionIds.flatMap((sessionId) => titles.get(sessionId) ?? []),
  };
}
