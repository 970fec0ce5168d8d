import type { ApprovalAnswer, ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import { ShieldAlert } from "lucide-react";
import { useState, type ReactNode } from "react";
import { isMac } from "../keyboard/platform.ts";
import { shownFor } from "../keyboard/shortcuts.ts";
import { ScrollBox } from "../session-page/ScrollBox.tsx";
import { Diff } from "../transcript/Diff.tsx";
import { Button } from "../ui/button.tsx";
import { DockCard } from "./DockCard.tsx";
import { KeyHint, keyShortcut } from "./KeyHint.tsx";
import { t } from "./messages.ts";
import { ReplyField } from "./ReplyField.tsx";
import { useDockKeys } from "./use-dock-keys.ts";

export interface RequestCardProps<R extends ApprovalRequest> {
  request: R;
  meta: ReactNode;
  error: string | undefined;
  mayAnswer: boolean;
  onAnswer: (answer: ApprovalAnswer) => void;
}

type Permission = Extract<ApprovalRequest, { kind: "permission" }>;

/** The exact command, path or address, never shortened. */
function Subject({ request }: { request: Permission }) {
  const rest = Object.entries(request.input).filter(([name, value]) => name !== "description" && value !== request.subject);
  return (
    <>
      <ScrollBox
        label={t.permission.subject}
        className="max-h-44 overflow-auto rounded-control border border-warn-line bg-surface px-3 py-2 font-mono text-mono break-words whitespace-pre-wrap"
      >
        {request.subject}
      </ScrollBox>
      {request.patch !== undefined && (
        <div className="mt-2 max-h-64 overflow-auto rounded-control border border-line bg-surface">
          <Diff patch={request.patch} path={request.subject} />
        </div>
      )}
      {request.reason !== "" && <p className="mt-1.5 text-ui text-fg-2">{request.reason}</p>}
      {request.patch === undefined && rest.length > 0 && (
        <details className="mt-1.5 text-label text-fg-2">
          <summary className="py-1 pointer-coarse:py-3.5">{t.permission.input}</summary>
          <ScrollBox
            label={t.permission.input}
            className="mt-1 max-h-40 overflow-auto rounded-control border border-line bg-surface p-2 font-mono break-words whitespace-pre-wrap"
          >
            {JSON.stringify(request.input, null, 2)}
          </ScrollBox>
        </details>
      )}
    </>
  );
}

export function PermissionCard({ request, meta, error, mayAnswer, onAnswer }: RequestCardProps<Permission>) {
  const [isDenying, setIsDenying] = useState(false);
  const { sessionRule } = request;
  const allowOnce = () => onAnswer({ decision: "allow_once" });
  const allowSession = () => onAnswer({ decision: "allow_session" });
  useDockKeys(mayAnswer && !isDenying ? request.approvalId : null, {
    allow_once: allowOnce,
    deny: () => setIsDenying(true),
    ...(sessionRule === undefined ? {} : { allow_session: allowSession }),
  });
  return (
    <DockCard
      icon={<ShieldAlert aria-hidden />}
      title={t.permission.title(request.tool)}
      meta={meta}
      error={error}
      actions={
        !mayAnswer ? (
          <p className="text-ui text-fg-2">{t.readOnly}</p>
        ) : isDenying ? (
          <ReplyField
            danger
            label={t.permission.denyField}
            submitLabel={t.permission.denyNow}
            onSubmit={(message) => onAnswer({ decision: "deny", message })}
            onBack={() => setIsDenying(false)}
          />
        ) : (
          <>
            <Button variant="primary" className="pointer-coarse:order-1 pointer-coarse:flex-1" onClick={allowOnce} {...keyShortcut("Y")}>
              {t.permission.allowOnce}
              <KeyHint keys={shownFor("allow_once", isMac)} />
            </Button>
            {sessionRule !== undefined && (
              <Button
                className="max-w-full min-w-0 pointer-coarse:order-3 pointer-coarse:w-full"
                onClick={allowSession}
                {...keyShortcut("A")}
              >
                <span className="truncate">{t.permission.allowSession(sessionRule)}</span>
                <KeyHint keys={shownFor("allow_session", isMac)} />
              </Button>
            )}
            <Button
              variant="ghost"
              className="ml-auto pointer-coarse:order-2 pointer-coarse:ml-0 pointer-coarse:flex-1 pointer-coarse:border pointer-coarse:border-warn-line"
              onClick={() => setIsDenying(true)}
              {...keyShortcut("N")}
            >
              {t.permission.deny}
              <KeyHint keys={shownFor("deny", isMac)} />
            </Button>
          </>
        )
      }
    >
      <Subject request={request} />
    </DockCard>
  );
}
