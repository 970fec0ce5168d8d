/** What `npm run test:container` prepared, and what the tests ask of it. Without it the tests say that they were skipped. */
import { spawnSync } from "node:child_process";
import * as z from "zod";
import { engineEnvironment } from "../../scripts/container/engine.ts";

const settingSchema = z.object({ gateway: z.string(), base: z.string(), sandbox: z.string(), sidecar: z.string() });
export type Setting = z.infer<typeof settingSchema>;

/** Set by scripts/container/main.ts. */
export const SETTING_VARIABLE = "AIDEV_CONTAINER_SETTING";

const text = process.env[SETTING_VARIABLE];
export const setting: Setting | null = text === undefined ? null : settingSchema.parse(JSON.parse(text));

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

export function docker(args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync("docker", args, {
    encoding: "utf8",
    env: engineEnvironment(),
    maxBuffer: 64 * 1_048_576,
  });
  return { status, stdout, stderr };
}

export function dockerText(...args: string[]): string {
  const ran = docker(args);
  if (ran.status !== 0) throw new Error(`docker ${args.slice(0, 3).join(" ")}: ${ran.stderr.trim()}`);
  return ran.stdout.trim();
}
