/**
 * Every request that leaves a sandbox, but for the platform's own virtual hosts: judge the address, ask the session, pass the
 * body on as a stream. Redirects are handed back, so that the next address is judged like the first. The session keeps the
 * log of blocked hosts; no address, query or header is logged here.
 */
import { blockedText, neverText, OWN_HOST_TEXT, refuse, unreachableText } from "./answers.ts";
import { relayGit } from "./git-relay.ts";
import { readGitRequest, resemblesPush } from "./git-policy.ts";
import { answerHeaders, outboundHeaders } from "./headers.ts";
import { parseTarget, type Target } from "./host-name.ts";
import type { EgressCaller, EgressPorts } from "./ports.ts";
import { isOpenInPart } from "./registries.ts";
import { passOn, send } from "./send.ts";
import { verdictCache, type VerdictCache } from "./verdict-cache.ts";

const PUSH_FORM_TEXT = "Pushes go by git over HTTPS, and only to this session's own repository.";

/** Of this isolate. Keys name the session and the incarnation. */
const sharedCache = verdictCache();

export async function relayOutbound(
  request: Request,
  caller: EgressCaller,
  ports: EgressPorts,
  cache: VerdictCache = sharedCache,
): Promise<Response> {
  const parsed = parseTarget(request.url);
  if (!parsed.ok) {
    ports.log.warn("never_reached", { sessionId: caller.sessionId, problem: parsed.problem });
    return refuse(neverText(parsed.problem));
  }
  const { target } = parsed;
  if (ports.ownHosts.includes(target.host)) return refuse(OWN_HOST_TEXT);
  const git = readGitRequest(request.method, request.url);
  if (git !== null) {
    const answer = await relayGit(request, git, caller, ports);
    if (answer !== null) return answer;
  } else if (resemblesPush(request.url)) {
    ports.log.info("push_refused", { sessionId: caller.sessionId, why: "unusual_form" });
    return refuse(PUSH_FORM_TEXT);
  }
  const verdict = await judge(request.method, target, caller, ports, cache);
  if (verdict.decision === "deny") return refuse(blockedText(target.host, verdict.reason));
  return forward(request, target, verdict.reason, ports);
}

async function judge(method: string, { host, path }: Target, caller: EgressCaller, ports: EgressPorts, cache: VerdictCache) {
  const key = isOpenInPart(host) ? null : `${caller.sessionId} ${caller.incarnation} ${method} ${host}`;
  const known = key === null ? null : cache.recall(key, ports.now());
  if (known !== null) return { decision: "allow" as const, reason: known };
  const verdict = await ports.session.authorizeEgress({ incarnation: caller.incarnation, host, method, path });
  if (key !== null && verdict.decision === "allow") cache.remember(key, verdict.reason, ports.now());
  return verdict;
}

async function forward(request: Request, { host }: Target, reason: string, ports: EgressPorts): Promise<Response> {
  // Another protocol that is offered along the way ("h2c") is dropped with the connection's other headers.
  const isUpgrade = request.headers.get("upgrade")?.toLowerCase() === "websocket";
  const isRegistry = reason === "registry";
  if (isUpgrade && isRegistry) return refuse(`${host} is open for downloading packages only; no socket opens to it.`);
  const headers = outboundHeaders(request.headers, { credentials: !isRegistry, upgrade: isUpgrade });
  const answer = await send(request, host, headers, request.body, ports);
  if (answer === null) return refuse(unreachableText(host), 502);
  // A socket's answer cannot be built again; it is the platform's own object.
  if (answer.status < 200) return answer;
  return passOn(answer, answerHeaders(answer.headers));
}
