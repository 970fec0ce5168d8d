/**
 * Host names as the policy compares them: one parser (the platform's URL parser, which also connects), one written form,
 * equality only. Owns what can never be a destination whatever a session allows: addresses instead of names, names of
 * private networks, other ports than 80 and 443, credentials in the address. Pure.
 * A name that resolves to a private address is not seen here: nothing is resolved. On Cloudflare a Worker's fetch has no
 * private network to reach; names whose purpose is to spell out an address are refused below all the same.
 */

export type TargetProblem = "not_a_url" | "scheme" | "credentials" | "port" | "address" | "private_name";

export interface Target {
  scheme: "http" | "https";
  /** Lower case, ASCII, no trailing dot. */
  host: string;
  path: string;
}
export type TargetResult = { ok: true; target: Target } | { ok: false; problem: TargetProblem; host: string | null };

const MAX_HOST_CHARS = 253;
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
const LAST_LABEL = /^[a-z][a-z0-9-]*$/;
/** Written in a host name these mean something else to some parser. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const NOT_IN_A_NAME = /[\u0000-\u0020\u007f-\u00a0\u2028\u2029/\\?#@:%[\]]/;
const DOTTED_QUAD = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Last labels that no public name has, or that only a local network answers. */
const PRIVATE_SUFFIXES = ["localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private", "arpa", "onion"];
/** Public services that answer with whatever address is written in the name, or always with loopback. */
const ADDRESS_SPELLERS = ["nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me", "vcap.me", "lacolhost.com", "traefik.me"];

/** Where a request would go, or why it may go nowhere. */
export function parseTarget(address: string): TargetResult {
  const url = URL.parse(address);
  if (url === null) return { ok: false, problem: "not_a_url", host: null };
  const host = url.hostname.replace(/\.$/, "");
  const refuse = (problem: TargetProblem): TargetResult => ({ ok: false, problem, host: isName(host) ? host : null });
  if (url.protocol !== "http:" && url.protocol !== "https:") return refuse("scheme");
  if (url.username !== "" || url.password !== "") return refuse("credentials");
  // The parser drops a scheme's own port, so anything left is another one.
  if (url.port !== "") return refuse("port");
  if (isAddress(url.hostname)) return refuse("address");
  if (!isPublicName(host)) return refuse("private_name");
  return { ok: true, target: { scheme: url.protocol === "https:" ? "https" : "http", host, path: url.pathname } };
}

/** One written form of a bare host name; null when the text is anything else. */
export function normalizeHost(text: string): string | null {
  if (text.length > MAX_HOST_CHARS + 1 || NOT_IN_A_NAME.test(text)) return null;
  const hostname = URL.parse(`https://${text}/`)?.hostname.replace(/\.$/, "");
  return hostname !== undefined && isPublicName(hostname) ? hostname : null;
}

export function isPublicName(host: string): boolean {
  if (!isName(host) || isAddress(host)) return false;
  return ![...PRIVATE_SUFFIXES, ...ADDRESS_SPELLERS].some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
}

/** `pattern` is a name, or `*.` and a name of two labels or more: every name below it, not that name itself. */
export function matchesHost(pattern: string, host: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === host;
  const parent = pattern.slice(2);
  return isName(parent) && host.endsWith(`.${parent}`);
}

function isName(host: string): boolean {
  const labels = host.split(".");
  return (
    host.length <= MAX_HOST_CHARS &&
    labels.length >= 2 &&
    labels.every((label) => LABEL.test(label)) &&
    LAST_LABEL.test(labels.at(-1) ?? "")
  );
}

const isAddress = (hostname: string): boolean => hostname.startsWith("[") || DOTTED_QUAD.test(hostname);
