import type { ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import { ListChecks } from "lucide-react";
import { useState } from "react";
import { isMac } from "../keyboard/platform.ts";
import { shownFor } from "../keyboard/shortcuts.ts";
import { ScrollBox } from "../session-page/ScrollBox.tsx";
import { Markdown } from "../transcript/Markdown.tsx";
import { Button } from "../ui/button.tsx";
import { DockCard } from "./DockCard.tsx";
import { KeyHint, keyShortcut } from "./KeyHint.tsx";
import { t } from "./messages.ts";
import type { RequestCardProps } from "./PermissionCard.tsx";
import { ReplyField } from "./ReplyField.tsx";
import { useDockKeys } from "./use-dock-keys.ts";

export function PlanCard({ request, meta, error, mayAnswer, onAnswer }: RequestCardProps<Extract<ApprovalRequest, { kind: "plan" }>>) {
  const [isReplying, setIsReplying] = useState(false);
  const approve = () => onAnswer({ decision: "approve_plan", acceptEdits: false });
  const approveEdits = () => onAnswer({ decision: "approve_plan", acceptEdits: true });
  useDockKeys(mayAnswer && !isReplying ? request.approvalId : null, {
    allow_once: approve,
    allow_session: approveEdits,
    deny: () => setIsReplying(true),
  });
  return (
    <DockCard
      icon={<ListChecks aria-hidden />}
      title={t.plan.title}
      meta={meta}
      error={error}
      actions={
        !mayAnswer ? (
          <p className="text-ui text-fg-2">{t.readOnly}</p>
        ) : isReplying ? (
          <ReplyField
            label={t.plan.keepField}
            submitLabel={t.plan.keepNow}
            onSubmit={(message) => onAnswer({ decision: "keep_planning", message })}
            onBack={() => setIsReplying(false)}
          />
        ) : (
          <>
            <Button variant="primary" className="pointer-coarse:flex-1" onClick={approve} {...keyShortcut("Y")}>
              {t.plan.approve}
              <KeyHint keys={shownFor("allow_once", isMac)} />
            </Button>
            <Button className="pointer-coarse:flex-1" onClick={approveEdits} {...keyShortcut("A")}>
              {t.plan.approveEdits}
              <KeyHint keys={shownFor("allow_session", isMac)} />
            </Button>
            <Button
              variant="ghost"
              className="ml-auto pointer-coarse:w-full pointer-coarse:border pointer-coarse:border-warn-line"
              onClick={() => setIsReplying(true)}
              {...keyShortcut("N")}
            >
              {t.plan.keep}
              <KeyHint keys={shownFor("deny", isMac)} />
            </Button>
          </>
        )
      }
    >
      <ScrollBox
        label={t.plan.title}
        className="max-h-[36dvh] overflow-y-auto rounded-control border border-line bg-surface px-3 py-2 text-body"
      >
        <h3 className="sr-only">{t.plan.content}</h3>
        <Markdown text={request.plan} />
      </ScrollBox>
    </DockCard>
  );
}
