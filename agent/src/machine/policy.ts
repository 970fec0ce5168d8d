/**
 * What this computer's own user allows its sessions, whatever the server asks for (SPEC LP2, LP3). Handed to a runner by the
 * machine that starts it, never by a frame. Pure.
 */
import path from "node:path";
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import type { Mode } from "@ai-dev-platform/protocol/modes";
import type { RunnerConfig } from "@ai-dev-platform/protocol/runner";
import * as z from "zod";

export const policySchema = z.object({
  /** A person's own computer, not one that is lent to the deployment. */
  isOwn: z.boolean(),
  /** `connect --allow-bypass`: sessions may run without questions here. */
  allowsBypass: z.boolean(),
  /** Where this computer's trusted folders and its audit log are; null: this runner cannot write there. */
  dataDir: z.string().nullable(),
});
export type MachinePolicy = z.infer<typeof policySchema>;

export interface Refusal {
  code: ErrorCode;
  text: string;
  /** For the audit log: what was asked. */
  asked: string;
  /** Agents that stay in the default mode. */
  threads?: readonly string[];
}

export interface Judged {
  config: RunnerConfig;
  refusals: Refusal[];
}

/** The session's wishes, as far as they are granted here. */
export function applyPolicy(config: RunnerConfig, policy: MachinePolicy): Judged {
  const refusals: Refusal[] = [];
  const threads = config.threads ?? [{ thread: MAIN_THREAD, mode: config.mode }];
  const loose = [{ thread: MAIN_THREAD, mode: config.mode }, ...threads].filter(({ mode }) => !mayUseMode(mode, policy));
  const [first] = loose;
  if (first !== undefined) refusals.push(modeRefusal(first.mode, [...new Set(loose.map(({ thread }) => thread))]));
  const modeOf = (mode: Mode): Mode => (mayUseMode(mode, policy) ? mode : "default");
  const programs = config.mcpServers.filter(({ transport }) => transport === "stdio" && !mayRunPrograms(policy));
  for (const { name } of programs) refusals.push(programRefusal(name));
  return {
    config: {
      ...config,
      mode: modeOf(config.mode),
      ...(config.threads === undefined ? {} : { threads: config.threads.map((info) => ({ ...info, mode: modeOf(info.mode) })) }),
      mcpServers: config.mcpServers.filter((server) => !programs.includes(server)),
    },
    refusals,
  };
}

export const mayUseMode = (mode: Mode, { allowsBypass }: MachinePolicy): boolean => mode !== "bypassPermissions" || allowsBypass;

/** A tool server on standard input is a program that the server names and nobody is asked about. */
const mayRunPrograms = ({ isOwn, allowsBypass }: MachinePolicy): boolean => !isOwn || allowsBypass;

export const modeRefusal = (mode: Mode, threads: readonly string[]): Refusal => ({
  code: "mode_refused",
  text: ERRORS.mode_refused.message,
  asked: mode,
  threads,
});

const programRefusal = (name: string): Refusal => ({
  code: "forbidden",
  text: `The tool server "${name}" is a program, and this machine starts none for the server. Its owner can allow that there with ai-dev-agent connect --allow-bypass.`,
  asked: `tool server ${name}`,
});

/** A clone of a path of this computer would open it past the question that a folder is asked about. */
export function localRepositoryOf(config: RunnerConfig): string | null {
  const { source } = config;
  if (source.kind !== "git") return null;
  if (source.url.startsWith("file:")) return source.url;
  const isRemote =
    /^(https?|ssh|git):\/\//i.test(source.url) || /^[\w.-]+@[\w.-]+:/.test(source.url) || /^(?!\w:)[\w.-]+:(?!\/\/)/.test(source.url);
  return isRemote && !path.isAbsolute(source.url) ? null : source.url;
}
