import { useState } from "react";
import { useActions } from "../session/use-session.ts";
import { toast } from "../ui/toast.ts";
import { failureReason } from "./failure.ts";
import type { Way } from "./place-facts.ts";

/** Moves the session and says why not, where it was refused. */
export function useGo() {
  const actions = useActions();
  const [isGoing, setIsGoing] = useState(false);
  const go = (way: Pick<Way, "host" | "machineId">) => {
    setIsGoing(true);
    actions
      .setHost(way.host, way.machineId)
      .catch((error: unknown) => toast(failureReason(error)))
      .finally(() => setIsGoing(false));
  };
  return { isGoing, go };
}
