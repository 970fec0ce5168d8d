/**
 * Ends this very process at a chosen one of the calls by which it changes a disk or speaks to a server: before the call,
 * after it, or in the middle of a write. Counts from the moment it is armed. To be set up before anything else is imported.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

export interface Death {
  /** 0: never. */
  atCall: number;
  /** `torn`: half of a file is written. */
  when: "before" | "after" | "torn";
}

const COUNTED = ["writeFile", "rename", "rm", "rmdir", "mkdir", "mkdtemp", "open", "symlink", "chmod", "copyFile", "unlink"] as const;
const COUNTED_SYNC = ["writeFileSync", "openSync", "writeSync", "renameSync", "mkdirSync", "rmSync", "fchmodSync", "futimesSync"] as const;
type AnyCall = (...args: unknown[]) => unknown;

export function setUpDeath({ atCall, when }: Death): { arm(): void; disarm(): void; calls(): number } {
  let calls = 0;
  let isArmed = false;
  const { writeFileSync } = fs;
  const die = (): never => {
    process.kill(process.pid, "SIGKILL");
    // The signal is on its way; nothing more may happen.
    for (;;);
  };
  const meet = (isAfter: boolean, args: unknown[], isWrite: boolean): void => {
    if (!isArmed) return;
    if (!isAfter) calls += 1;
    if (calls !== atCall) return;
    if (isAfter) {
      if (when === "after") die();
      return;
    }
    if (when === "torn" && isWrite) tear(args, writeFileSync);
    if (when !== "after") die();
  };
  const wrapAsync =
    (call: AnyCall, isWrite: boolean): AnyCall =>
    async (...args) => {
      meet(false, args, isWrite);
      const result = await call(...args);
      meet(true, args, isWrite);
      return result;
    };
  const wrapSync =
    (call: AnyCall, isWrite: boolean): AnyCall =>
    (...args) => {
      meet(false, args, isWrite);
      const result = call(...args);
      meet(true, args, isWrite);
      return result;
    };
  for (const name of COUNTED)
    Reflect.set(fs.promises, name, wrapAsync(Reflect.get(fs.promises, name).bind(fs.promises) as AnyCall, name === "writeFile"));
  for (const name of COUNTED_SYNC) Reflect.set(fs, name, wrapSync(Reflect.get(fs, name) as AnyCall, name === "writeFileSync"));
  globalThis.fetch = wrapAsync(globalThis.fetch as AnyCall, false) as typeof fetch;
  syncBuiltinESMExports();
  return { arm: () => void (isArmed = true), disarm: () => void (isArmed = false), calls: () => calls };
}

/** Half of what was to be written. */
function tear([file, data]: unknown[], write: typeof fs.writeFileSync): void {
  if (typeof file !== "string") return;
  const bytes = typeof data === "string" ? Buffer.from(data) : ArrayBuffer.isView(data) ? Buffer.from(data.buffer) : Buffer.alloc(0);
  write(file, bytes.subarray(0, bytes.length / 2));
}
