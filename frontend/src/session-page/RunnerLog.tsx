/** The newest lines of the runner's log, asked again while it is open. Looking starts nothing. */
import { useQuery } from "@tanstack/react-query";
import { useSessionHandle } from "../session/context.ts";
import { useActions } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { failureMessage } from "./failure.ts";
import { t } from "./late-messages.ts";
import { ScrollBox } from "./ScrollBox.tsx";

const REFRESH_MS = 3_000;

export default function RunnerLog({ onClose }: { onClose: () => void }) {
  const actions = useActions();
  const { core } = useSessionHandle();
  const log = useQuery({
    queryKey: ["session", core.sessionId, "runner_log"],
    gcTime: 0,
    retry: false,
    refetchInterval: REFRESH_MS,
    queryFn: async () => {
      const result = await actions.query({ kind: "runner_log" });
      return result.kind === "runner_log" ? result.lines : [];
    },
  });
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={t.log.title}
      description={t.log.description}
      footer={<Button onClick={onClose}>{t.log.close}</Button>}
    >
      {log.data === undefined ? (
        <p role={log.isError ? "alert" : "status"} className={log.isError ? "text-ui text-bad" : "text-ui text-fg-2"}>
          {log.isError ? failureMessage(log.error) : t.log.loading}
        </p>
      ) : log.data.length === 0 ? (
        <p className="text-ui text-fg-2">{t.log.empty}</p>
      ) : (
        <ScrollBox
          label={t.log.title}
          className="max-h-[60dvh] overflow-auto rounded-control border border-line bg-sunken p-2 font-mono text-mono break-words whitespace-pre-wrap"
        >
          {log.data.join("\n")}
        </ScrollBox>
      )}
    </Dialog>
  );
}
