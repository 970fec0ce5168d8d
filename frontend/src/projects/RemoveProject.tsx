import { useState } from "react";
import { useLocation } from "wouter";
import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { messageOf } from "../api/client.ts";
import { paths } from "../routes.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { t } from "./messages.ts";
import { useProjectActions } from "./use-projects.ts";

export function RemoveProject({ project }: { project: ProjectBody }) {
  const [isAsking, setIsAsking] = useState(false);
  const [, navigate] = useLocation();
  const { remove } = useProjectActions();
  const confirm = () => remove.mutate(project.projectId, { onSuccess: () => navigate(paths.sessions, { replace: true }) });
  return (
    <>
      <Button variant="danger" onClick={() => setIsAsking(true)}>
        {t.remove}
      </Button>
      <Dialog
        open={isAsking}
        onOpenChange={setIsAsking}
        title={t.removeTitle}
        description={t.removeText(project.sessions)}
        footer={
          <>
            <Button onClick={() => setIsAsking(false)}>{t.cancel}</Button>
            <Button variant="danger" disabled={remove.isPending} onClick={confirm}>
              {t.removeConfirm(project.sessions)}
            </Button>
          </>
        }
      >
        {remove.isError && (
          <Callout tone="bad" alert>
            {messageOf(remove.error)}
          </Callout>
        )}
      </Dialog>
    </>
  );
}
