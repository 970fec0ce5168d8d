/**
 * The agent's environment, built from nothing: what its processes see is what stands here. Pure.
 * The model token is the only secret in it; it is good for this session and incarnation alone (SPEC MO1). With the person's
 * own login there is none, and nothing that names an account or an address (SPEC LP4).
 */
import { THREAD_HEADER } from "@ai-dev-platform/protocol/ids";
import { AGENT_PACKAGE_VERSION } from "../../config.ts";

/** What a shell needs to work. No proxy settings and no credentials of the person who started the machine. */
export const INHERITED = ["PATH", "HOME", "LANG", "TERM", "TMPDIR", "SHELL", "USER", "LOGNAME", "TZ"];

/** What a person's own program finds its login and its network by. No login itself, and nothing of ours. */
export const OWN_INHERITED = [
  "CLAUDE_CONFIG_DIR",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
  "SystemRoot",
  "DBUS_SESSION_BUS_ADDRESS",
  "HTTPS_PROXY",
  "HTTP_PROXY",
  "NO_PROXY",
  "https_proxy",
  "http_proxy",
  "no_proxy",
  "NODE_EXTRA_CA_CERTS",
];

type Parent = Readonly<Record<string, string | undefined>>;

const inherit = (parent: Parent, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name): [string, string][] => {
      const value = parent[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** How the agent talks to its runner and what it may start by itself: the same for every login. */
const MANNERS = {
  DISABLE_AUTOUPDATER: "1",
  CLAUDE_AGENT_SDK_CLIENT_APP: `ai-dev-platform/${AGENT_PACKAGE_VERSION}`,
  CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: "1",
  // Streamed pieces are joined for this long: 2,000 deltas become a few dozen messages.
  CLAUDE_CODE_STREAM_EVENT_HOLD_MS: "40",
  // One prompt, one result: nothing may start a turn by itself, or a stop would not stop it.
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1",
  CLAUDE_CODE_DISABLE_CRON: "1",
  // The task list as one whole list per change.
  CLAUDE_CODE_ENABLE_TODO_TOOLS: "1",
  CLAUDE_CODE_ENABLE_TASKS: "0",
};

/** Their program as they start it, but for its manners. */
export const ownLoginEnvironment = (parent: Parent): Record<string, string> => ({
  LANG: "C.UTF-8",
  ...inherit(parent, [...INHERITED, ...OWN_INHERITED]),
  ...MANNERS,
});

export interface EnvironmentInput {
  parent: Parent;
  /** Where model calls go. */
  modelUrl: string;
  modelToken: string;
  claudeDir: string;
  thread: string;
}

export function agentEnvironment({ parent, modelUrl, modelToken, claudeDir, thread }: EnvironmentInput): Record<string, string> {
  return {
    LANG: "C.UTF-8",
    ...inherit(parent, INHERITED),
    CLAUDE_CONFIG_DIR: claudeDir,
    // One folder for the transcript wherever the workspace lies: it is saved here and restored there.
    CLAUDE_CODE_PROJECT_DIR_NAME: "session",
    ANTHROPIC_BASE_URL: modelUrl,
    ANTHROPIC_AUTH_TOKEN: modelToken,
    // So that each call's cost goes to the turn it was made in.
    ANTHROPIC_CUSTOM_HEADERS: `${THREAD_HEADER}: ${thread}`,
    // A repository's settings must not move the address or the token.
    CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST: "1",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    ...MANNERS,
  };
}
