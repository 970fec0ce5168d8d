/**
 * The agent's environment, built from nothing: what its processes see is what stands here. Pure.
 * The model token is the only secret in it; it is good for this session and incarnation alone (SPEC MO1).
 */
import { THREAD_HEADER } from "@ai-dev-platform/protocol/ids";
import { AGENT_PACKAGE_VERSION } from "../../config.ts";

/** What a shell needs to work. No proxy settings and no credentials of the person who started the machine. */
const INHERITED = ["PATH", "HOME", "LANG", "TERM", "TMPDIR", "SHELL", "USER", "LOGNAME", "TZ"];

export interface EnvironmentInput {
  parent: Readonly<Record<string, string | undefined>>;
  /** Where model calls go. */
  modelUrl: string;
  modelToken: string;
  claudeDir: string;
  thread: string;
}

export function agentEnvironment({ parent, modelUrl, modelToken, claudeDir, thread }: EnvironmentInput): Record<string, string> {
  const inherited = INHERITED.flatMap((name): [string, string][] => {
    const value = parent[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    LANG: "C.UTF-8",
    ...Object.fromEntries(inherited),
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
}
