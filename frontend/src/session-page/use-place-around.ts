/** What is known of the hosts around a session. Only its owner may see machines: for everybody else nothing is asked. */
import { may } from "@ai-dev-platform/protocol/roles";
import { useConfig } from "../auth/use-me.ts";
import { useViewer } from "../session/use-session.ts";
import { useMachines } from "../settings/use-settings.ts";
import type { Around } from "./place-facts.ts";

export function usePlaceAround(): Around & { isOwner: boolean } {
  const viewer = useViewer();
  const isOwner = viewer !== null && may(viewer.role, "own");
  const machines = useMachines(isOwner);
  const config = useConfig();
  return { isOwner, machines: machines.data ?? null, hasSandbox: config.data?.sandbox === true };
}
