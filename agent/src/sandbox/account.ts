/**
 * The user that the agent, its tools and everything that touches the workspace run as. The runner itself stays the image's
 * root user: what it holds in memory, in its environment and in its own folder is out of the agent's reach. Pure.
 */
import type { AgentAccount } from "../runner/claude/agent.ts";
import type { TrustFiles } from "./certificate.ts";

/** As agent/Dockerfile makes it. */
export const ACCOUNT = { name: "agent", uid: 10_001, gid: 10_001, home: "/home/agent" } as const;

/**
 * No way back: no other group, no capability (also none that a program on the disk could bring), no setuid program. The words
 * go before a command; the process that they start becomes that command, so its number and its group stay the same.
 */
export const LAUNCHER: AgentAccount["launcher"] = [
  "setpriv",
  `--reuid=${ACCOUNT.uid}`,
  `--regid=${ACCOUNT.gid}`,
  "--clear-groups",
  "--inh-caps=-all",
  "--bounding-set=-all",
  "--no-new-privs",
  "--",
];

/** Where the agent may install programs for itself: `npm install --global`, `pip install --user`. */
const LOCAL = `${ACCOUNT.home}/.local`;

/** What the agent's processes get instead of the runner's environment. `trust`: an intercepted network's authority, where one is. */
export function accountEnvironment(trust: TrustFiles | null): Record<string, string> {
  return {
    PATH: `/usr/local/bin:/usr/bin:/bin:${LOCAL}/bin`,
    NPM_CONFIG_PREFIX: LOCAL,
    SHELL: "/bin/bash",
    HOME: ACCOUNT.home,
    USER: ACCOUNT.name,
    LOGNAME: ACCOUNT.name,
    ...(trust === null ? {} : trustEnvironment(trust)),
  };
}

/** Programs that bring their own list of authorities are told where the container's is. Not secret. */
const trustEnvironment = ({ authority, bundle }: TrustFiles): Record<string, string> => ({
  NODE_EXTRA_CA_CERTS: authority,
  SSL_CERT_FILE: bundle,
  CURL_CA_BUNDLE: bundle,
  REQUESTS_CA_BUNDLE: bundle,
  PIP_CERT: bundle,
  GIT_SSL_CAINFO: bundle,
  CARGO_HTTP_CAINFO: bundle,
});
