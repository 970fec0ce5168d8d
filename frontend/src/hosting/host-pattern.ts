/**
 * Reads a host that a person typed or pasted, and says in plain words what is wrong with it. Pure. The session's own schema
 * judges again; this must not take what that refuses (the test holds the two together).
 */
import { t } from "./messages.ts";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const PATTERN = new RegExp(`^(?:\\*\\.)?(?:${LABEL}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$`);
const MAX_HOST_CHARS = 253;

export type ReadHost = { ok: true; host: string } | { ok: false; problem: string };

const refused = (problem: string): ReadHost => ({ ok: false, problem });

/** Takes a whole address as well, since that is what one copies: its scheme and path fall away. */
export function readHost(typed: string): ReadHost {
  const bare = typed
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, "")
    .replace(/[/?#].*$/, "")
    .replace(/\.$/, "");
  if (bare === "") return refused(t.hosts.empty);
  if (/^[\d.]+(:\d+)?$/.test(bare) || bare.startsWith("[") || bare.split(":").length > 2) return refused(t.hosts.address);
  if (/:\d*$/.test(bare)) return refused(t.hosts.port);
  return bare.length <= MAX_HOST_CHARS && PATTERN.test(bare) ? { ok: true, host: bare } : refused(t.hosts.form);
}

/** The list with one more host, or why not. */
export function addHost(
  hosts: readonly string[],
  typed: string,
  max: number,
): { ok: true; hosts: string[]; host: string } | { ok: false; problem: string } {
  const read = readHost(typed);
  if (!read.ok) return read;
  if (hosts.includes(read.host)) return { ok: false, problem: t.hosts.listed };
  if (hosts.length >= max) return { ok: false, problem: t.hosts.full(max) };
  return { ok: true, host: read.host, hosts: [...hosts, read.host] };
}
