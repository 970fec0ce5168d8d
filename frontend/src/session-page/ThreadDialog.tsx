import type { SessionState } from "@ai-dev-platform/protocol/state";
import { useState } from "react";
import { threadName } from "../session/threads.ts";
import { useActions } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/text-field.tsx";
import { failureMessage } from "./failure.ts";
import { focusPrompt } from "./focus.ts";
import { t } from "./late-messages.ts";
import { useThreadPlace } from "./use-thread-place.ts";

/** Names another agent and starts it; a session with one agent becomes a session with several. */
export default function ThreadDialog({ state, onClose }: { state: SessionState; onClose: () => void }) {
  const actions = useActions();
  const [, showThread] = useThreadPlace();
  const [title, setTitle] = useState("");
  const [error, setError] = useState<string | undefined>();
  const [isBusy, setIsBusy] = useState(false);
  const start = async () => {
    const trimmed = title.trim();
    if (trimmed === "") return setError(t.threads.empty);
    const taken = state.threads.map(({ thread }) => thread);
    const thread = threadName(trimmed, taken);
    setIsBusy(true);
    try {
      if (state.lifecycle !== "multi-agent") await actions.setLifecycle("multi-agent");
      await actions.startThread(thread, trimmed);
    } catch (failure) {
      setError(failureMessage(failure));
      return setIsBusy(false);
    }
    showThread(thread);
    onClose();
    // After the dialog has given the focus back.
    setTimeout(focusPrompt);
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.threads.dialogTitle}
      description={`${t.threads.dialogBody}${state.lifecycle === "multi-agent" ? "" : ` ${t.threads.becomes}`}`}
      footer={
        <>
          <Button onClick={onClose}>{t.threads.cancel}</Button>
          <Button variant="primary" type="submit" form="thread-form" disabled={isBusy}>
            {t.threads.confirm}
          </Button>
        </>
      }
    >
      <form
        id="thread-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <TextField
          label={t.threads.field}
          hint={t.threads.fieldHint}
          error={error}
          value={title}
          maxLength={200}
          onChange={(event) => {
            setTitle(event.target.value);
            setError(undefined);
          }}
        />
      </form>
    </Dialog>
  );
}
