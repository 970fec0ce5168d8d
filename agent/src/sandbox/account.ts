/**
 * The user that the agent, its tools and everything that touches the workspace run as. The runner itself stays the image's
 * root user: what it holds in memory, in its environment and in its own folder is out of the agent's reach. Pure.
 */
import type { AgentAccount } from "../runner/claude/agent.ts";

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

/** How programs find the certificate authority that the platform signs intercepted connections with. Not secret. */
const CERTIFICATE_VARIABLES = [
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "CURL_CA_BUNDLE",
  "REQUESTS_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "PIP_CERT",
  "CARGO_HTTP_CAINFO",
];

/** What the agent's processes get instead of the runner's home and name. */
export function accountEnvironment(parent: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const certificates = CERTIFICATE_VARIABLES.flatMap((name): [string, string][] => {
    const value = parent[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    PATH: `/usr/local/bin:/usr/bin:/bin:${LOCAL}/bin`,
    NPM_CONFIG_PREFIX: LOCAL,
    SHELL: "/bin/bash",
    HOME: ACCOUNT.home,
    USER: ACCOUNT.name,
    LOGNAME: ACCOUNT.name,
    ...Object.fromEntries(certificates),
  };
}
