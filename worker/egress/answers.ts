/** What a sandbox is told when something does not pass: plain sentences, since an agent reads them and tells people. */
import type { TargetProblem } from "./host-name.ts";
import { isRegistryHost } from "./registries.ts";

export function refuse(text: string, status = 403): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" } });
}

const NEVER: Record<TargetProblem, string> = {
  not_a_url: "This address could not be read.",
  scheme: "Only http and https leave a sandbox.",
  credentials: "Leave the user name and password out of the address.",
  port: "Only ports 80 and 443 can be reached from a sandbox.",
  address: "Addresses by number cannot be reached from a sandbox; use a public host name.",
  private_name: "This name belongs to a private network and cannot be reached from a sandbox.",
};
export const neverText = (problem: TargetProblem): string => NEVER[problem];

export const OWN_HOST_TEXT = "A sandbox cannot open this platform's own pages.";
export const unreachableText = (host: string): string => `${host} could not be reached.`;

/** `reason` is the policy's word. */
export function blockedText(host: string, reason: string): string {
  if (reason === "never") return `${host} can never be reached from a sandbox.`;
  if (reason === "fenced") return "This sandbox is not the session's any more; a newer one has taken over.";
  if (reason === "method") return "This HTTP method does not leave a sandbox.";
  if (reason === "model_host")
    return `Model calls go through the platform. ${host} is open only if this session's owner lists or allows it.`;
  if (isRegistryHost(host))
    return `${host} is open for downloading packages only in this session's network setting; the owner can allow more of it in the session.`;
  return `${host} is blocked by this session's network setting; the owner can allow it in the session.`;
}
