/**
 * A short lock between processes of this computer, held over synchronous work only: a file that exists while it is held.
 * One whose holder ended without giving it back is taken over.
 */
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { startOf } from "../runner/process-group.ts";

/** Nothing that holds it takes this long; a waiter gives up with an exception. */
const PATIENCE_MS = 5_000;
const PAUSE_MS = 5;

const pause = new Int32Array(new SharedArrayBuffer(4));

export function withFileLock<T>(file: string, work: () => T): T {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!taken(file)) {
    if (isAbandoned(file)) rmSync(file, { force: true });
    else if (performance.now() > giveUpAt) throw new Error(`${file} is held by another process`);
    else Atomics.wait(pause, 0, 0, PAUSE_MS);
  }
  try {
    return work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** Written first and linked into place: a lock is never seen half written. */
function taken(file: string): boolean {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, `${process.pid} ${startOf(process.pid) ?? ""}`, { mode: 0o600 });
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

function isAbandoned(file: string): boolean {
  try {
    const [pid = "", ...start] = readFileSync(file, "utf8").split(" ");
    return startOf(Number(pid)) !== start.join(" ");
  } catch {
    // Given back meanwhile.
    return false;
  }
}
