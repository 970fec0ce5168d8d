/**
 * What a session's agent may do with Git over HTTPS (pure): which requests are Git's, whether they are for the session's
 * own repository, and whether a push's command list stays on the session's branches. Only a positive match is ever given
 * a credential; whatever is written differently is an ordinary request without one.
 */
import { parseTarget } from "./host-name.ts";
import { concat, FLUSH, pktLine } from "./pkt-line.ts";

export type GitService = "git-upload-pack" | "git-receive-pack";

export interface GitRequest {
  service: GitService;
  /** The first step asks what there is; the second does it. */
  step: "advertise" | "run";
  /** `https://host/owner/name`, in the form of `repositoryAddress`. */
  repository: string;
  host: string;
}

const GIT_PATH = /^(\/.+)\/(?:info\/refs|(git-upload-pack|git-receive-pack))$/;
const SERVICE_QUERY = /^\?service=(git-upload-pack|git-receive-pack)$/;
/** A path segment that every server reads in the same way. */
const PLAIN_PATH = /^(?:\/[\w~+@-][\w.~+@-]*)+$/;

/** Null: not a Git request in the exact form that git sends. */
export function readGitRequest(method: string, address: string): GitRequest | null {
  const parsed = parseTarget(address);
  if (!parsed.ok || parsed.target.scheme !== "https") return null;
  const { search } = new URL(address);
  const match = GIT_PATH.exec(parsed.target.path);
  const folder = match?.[1];
  const repository = folder === undefined ? null : repositoryAddress(`https://${parsed.target.host}${folder}`);
  if (repository === null) return null;
  const run = match?.[2];
  const service = run ?? SERVICE_QUERY.exec(search)?.[1];
  if (service !== "git-upload-pack" && service !== "git-receive-pack") return null;
  const fits = run === undefined ? method === "GET" : method === "POST" && search === "";
  return fits ? { service, step: run === undefined ? "advertise" : "run", repository, host: parsed.target.host } : null;
}

/**
 * Whether a server could take it for a push, however it is written: over plain http, with a query that no git sends, with
 * doubled slashes or escapes. What is not in git's exact form is refused then, not passed on as an ordinary request.
 */
export function resemblesPush(address: string): boolean {
  const { pathname, search } = new URL(address);
  return [pathname, search].some((text) => unescaped(text).toLowerCase().includes("git-receive-pack"));
}

/** Escapes of escapes too: a server behind a server undoes them again. */
function unescaped(text: string, times = 3): string {
  const once = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
  return once === text || times === 1 ? once : unescaped(once, times - 1);
}

/** One written form of a repository's https address, with or without `.git`; null when it is not one. */
export function repositoryAddress(address: string): string | null {
  const parsed = parseTarget(address);
  if (!parsed.ok || parsed.target.scheme !== "https") return null;
  const { search, hash } = new URL(address);
  const path = parsed.target.path.replace(/\/+$/, "").replace(/\.git$/, "");
  return search === "" && hash === "" && PLAIN_PATH.test(path) ? `https://${parsed.target.host}${path}` : null;
}

export interface PushCommand {
  from: string;
  to: string;
  ref: string;
}
export interface PushList {
  commands: PushCommand[];
  capabilities: string[];
}

/** Hard limits of a push's command list; an agent's push names a branch or two. */
export const MAX_COMMAND_LIST_BYTES = 65_536;
const MAX_COMMANDS = 50;
const COMMAND = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (\S+)$/;
const SHALLOW = /^shallow [0-9a-f]{40,64}$/;

/** The command list of a push. Null: signed pushes and whatever else is not a plain list are not judged but refused. */
export function readPushList(lines: readonly Uint8Array[]): PushList | null {
  const list: PushList = { commands: [], capabilities: [] };
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (const line of lines) {
    let text: string;
    try {
      text = decoder.decode(line).replace(/\n$/, "");
    } catch {
      return null;
    }
    if (list.commands.length === 0 && SHALLOW.test(text)) continue;
    const [command = "", capabilities, ...rest] = text.split("\0");
    if (rest.length > 0 || (capabilities !== undefined && list.commands.length > 0)) return null;
    if (capabilities !== undefined) list.capabilities = capabilities.split(" ").filter((name) => name !== "");
    const [, from, to, ref] = COMMAND.exec(command) ?? [];
    if (from === undefined || to === undefined || ref === undefined || list.commands.length >= MAX_COMMANDS) return null;
    list.commands.push({ from, to, ref });
  }
  return list;
}

const BRANCHES = "refs/heads/";
/** What git itself accepts as a branch, without its rarer corners. */
const BRANCH = /^(?![-/.])(?!.*(?:\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)))[\w./+@#=,-]+(?<![/.])$/;
const isZero = (oid: string): boolean => /^0+$/.test(oid);

export type PushVerdict = { ok: true } | { ok: false; reason: string };

export function judgePush({ commands, capabilities }: PushList, branchPattern: string): PushVerdict {
  if (capabilities.some((name) => name === "push-options")) return { ok: false, reason: "push options are closed here; push without them" };
  for (const { to, ref } of commands) {
    const branch = ref.startsWith(BRANCHES) ? ref.slice(BRANCHES.length) : null;
    if (branch === null || !BRANCH.test(branch) || !matchesBranch(branchPattern, branch))
      return { ok: false, reason: `this session may push to ${branchPattern} only` };
    if (isZero(to)) return { ok: false, reason: "this session may not delete branches" };
  }
  return { ok: true };
}

/** An exact name, or a prefix that ends in `*`. */
export function matchesBranch(pattern: string, branch: string): boolean {
  if (!pattern.endsWith("*")) return pattern !== "" && pattern === branch;
  const prefix = pattern.slice(0, -1);
  return prefix !== "" && branch.startsWith(prefix);
}

const SIDEBAND_CHUNK_BYTES = 900;

/**
 * A push's refusal in git's own words, so that it is shown beside each branch. Null when the client cannot read a report;
 * it is told by status then.
 */
export function pushReport({ commands, capabilities }: PushList, reason: string): Uint8Array<ArrayBuffer> | null {
  const has = (name: string) => capabilities.some((capability) => capability === name);
  if (!has("report-status") && !has("report-status-v2")) return null;
  const status = concat(pktLine("unpack ok\n"), ...commands.map(({ ref }) => pktLine(`ng ${ref} ${reason}\n`)), FLUSH);
  if (!has("side-band-64k") && !has("side-band")) return status;
  const framed: Uint8Array[] = [];
  for (let at = 0; at < status.byteLength; at += SIDEBAND_CHUNK_BYTES)
    framed.push(pktLine(concat(Uint8Array.of(1), status.subarray(at, at + SIDEBAND_CHUNK_BYTES))));
  return concat(...framed, FLUSH);
}
