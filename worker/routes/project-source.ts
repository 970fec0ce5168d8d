/**
 * Which sources a project may name. Pure. The machine that clones judges again; this refuses early what no machine
 * should ever see: options in disguise, stored passwords, transports that run commands, and local files where they are off.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { WorkspaceSource } from "@ai-dev-platform/protocol/runner";

export type SourceVerdict = { ok: true } | { ok: false; code: ErrorCode; detail: string };

const OK: SourceVerdict = { ok: true };
const bad = (detail: string): SourceVerdict => ({ ok: false, code: "bad_request", detail });
const localOff = (detail: string): SourceVerdict => ({ ok: false, code: "forbidden", detail });

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
/** `git@host:owner/name`: neither host nor path may look like an option. */
const SCP_LIKE = /^git@[a-z0-9][a-z0-9.-]*:(?!-)\S+$/i;
/** What git itself accepts as a branch, without its rarer corners. */
const BRANCH = /^(?![-/.])(?!.*(?:\.\.|@\{|\/\/|\.lock$))[^\s~^:?*[\\]+(?<![/.])$/;
const ABSOLUTE = /^(?:\/|[a-z]:[\\/])/i;

export function judgeSource(source: WorkspaceSource, isLocalAllowed: boolean): SourceVerdict {
  switch (source.kind) {
    case "empty":
    case "archive":
      return OK;
    case "path":
      if (!isLocalAllowed) return localOff("Folders cannot be opened here.");
      if (CONTROL.test(source.path) || !ABSOLUTE.test(source.path)) return bad("source.path: give the whole path, from the root");
      return OK;
    case "git": {
      if (source.branch !== null && (CONTROL.test(source.branch) || !BRANCH.test(source.branch)))
        return bad("source.branch: not a branch name");
      return judgeGitUrl(source.url, isLocalAllowed);
    }
    default:
      return source satisfies never;
  }
}

function judgeGitUrl(url: string, isLocalAllowed: boolean): SourceVerdict {
  if (url === "" || url.startsWith("-") || CONTROL.test(url) || /\s/.test(url)) return bad("source.url: not a Git address");
  if (SCP_LIKE.test(url)) return OK;
  if (ABSOLUTE.test(url) || /^file:/i.test(url)) return isLocalAllowed ? OK : localOff("Local repositories cannot be opened here.");
  const parsed = URL.parse(url);
  if (
    parsed === null ||
    !["https:", "http:", "ssh:"].includes(parsed.protocol) ||
    parsed.hostname === "" ||
    parsed.hostname.startsWith("-")
  ) {
    return bad("source.url: use an https, http, ssh or git@ address");
  }
  const hasUserAsLogin = parsed.protocol === "ssh:" && !parsed.username.startsWith("-");
  if (parsed.password !== "" || (parsed.username !== "" && !hasUserAsLogin)) {
    return bad("source.url: leave the user name and password out of the address");
  }
  return OK;
}

/** A name to start with, from the last part of the address or folder. */
export function nameOfSource(source: WorkspaceSource): string {
  if (source.kind === "empty") return "New project";
  if (source.kind === "archive") return source.name.replace(/\.(zip|tar|tar\.gz|tgz)$/i, "").slice(0, 200) || "New project";
  const last = (source.kind === "git" ? source.url : source.path).split(/[\\/:]/).findLast((part) => part !== "") ?? "";
  return last.replace(/\.git$/i, "").slice(0, 200) || "New project";
}
