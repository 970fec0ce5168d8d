import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import { api, messageOf } from "../api/client.ts";
import { queryClient } from "../query-client.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { t } from "./messages.ts";

/** Signs a person's own machine out, with what follows said first. */
export function RemoveMachine({ machine }: { machine: MachineBody }) {
  const [isAsking, setIsAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => api.delete(`/api/machines/${machine.machineId}`),
    onSuccess: () => setIsAsking(false),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["machines"] }),
  });
  return (
    <>
      <Button size="sm" variant="danger" aria-label={t.removeLabel(machine.name)} onClick={() => setIsAsking(true)}>
        {t.remove}
      </Button>
      <Dialog
        open={isAsking}
        onOpenChange={setIsAsking}
        title={t.removeTitle(machine.name)}
        footer={
          <>
            <Button onClick={() => setIsAsking(false)}>{t.cancel}</Button>
            <Button variant="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
              {t.remove}
            </Button>
          </>
        }
      >
        <p className="text-fg-2">{t.removeText}</p>
        {remove.isError && (
          <div className="mt-3">
            <Callout tone="bad" alert>
              {messageOf(remove.error)}
            </Callout>
          </div>
        )}
      </Dialog>
    </>
  );
}
