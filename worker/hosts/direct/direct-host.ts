/**
 * Runners in the Worker itself, behind the port that every host has: one object for each session, which talks to the model
 * and has no files of its own. Always offered; nothing runs between prompts (SPEC DI1).
 */
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import type { HostOrder, HostStatus, RunnerHost, StartOutcome } from "../../session/ports.ts";

/** What the rest of the Worker asks of a direct session's object. */
export interface DirectApi {
  start(order: RunnerOrder): Promise<StartOutcome>;
  status(): Promise<HostStatus>;
  kill(incarnation: number): Promise<void>;
  forget(): Promise<void>;
}

const runnerOrderOf = ({ sessionId, incarnation, linkToken, modelToken, source }: HostOrder): RunnerOrder => ({
  sessionId,
  incarnation,
  linkToken,
  modelToken,
  source,
});

export function directHost(env: Env): RunnerHost {
  const objectOf = (sessionId: string): DirectApi => env.DIRECT.getByName(sessionId);
  return {
    kind: "direct",
    start: (order) => objectOf(order.sessionId).start(runnerOrderOf(order)),
    // Nothing is paid for by the hour.
    touch: async () => {},
    status: (sessionId) => objectOf(sessionId).status(),
    kill: (sessionId, incarnation) => objectOf(sessionId).kill(incarnation),
    forget: (sessionId) => objectOf(sessionId).forget(),
  };
}
