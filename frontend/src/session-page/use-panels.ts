import { useSessionSelector } from "../session/use-session.ts";
import { PANELS, type Panel } from "./panel-url.ts";

/** The parts of the workbench that this session has: a machine's network is its own, so there is nothing to show. */
export function usePanels(): readonly Panel[] {
  const isSandbox = useSessionSelector((state) => state.hostKind === "sandbox") ?? false;
  return isSandbox ? PANELS : PANELS.filter((panel) => panel !== "network");
}
