import { useSearch } from "wouter";
import { shell } from "../shell/shell-state.ts";
import { Dialog } from "../ui/dialog.tsx";
import { t } from "./messages.ts";
import { NewSessionForm } from "./NewSessionForm.tsx";

/** The new-session form over whatever page one is on. */
export default function NewSessionDialog() {
  const projectId = new URLSearchParams(useSearch()).get("project");
  return (
    <Dialog open onOpenChange={shell.setNewSession} title={t.title} wide>
      <NewSessionForm projectId={projectId} takesFocus onStarted={() => shell.setNewSession(false)} />
    </Dialog>
  );
}
