/** What was saved and what was left out. Loaded when it is first opened. */
import { may } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { useState } from "react";
import { useActions, useViewer } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { formatAge, formatBytes, formatCount, formatExact } from "../ui/format.ts";
import { useNow } from "../ui/time.tsx";
import { showFailure } from "./failure.ts";
import { t } from "./late-messages.ts";

/** Names listed before the rest is only counted. */
const LISTED_LEFT_OUT = 12;

function LeftOut({ leftOut }: { leftOut: NonNullable<SessionState["saved"]>["leftOut"] }) {
  if (leftOut.length === 0) return null;
  return (
    <>
      <p className="mt-2 text-fg-2">{t.saved.leftOut(leftOut.length)}</p>
      <ul className="mt-1 max-h-40 overflow-y-auto">
        {leftOut.slice(0, LISTED_LEFT_OUT).map(({ path, reason }) => (
          <li key={path} className="flex justify-between gap-3 text-label">
            <span className="truncate font-mono">{path}</span>
            <span className="flex-none text-fg-3">{t.saved.reason[reason]}</span>
          </li>
        ))}
        {leftOut.length > LISTED_LEFT_OUT && <li className="text-label text-fg-3">+{formatCount(leftOut.length - LISTED_LEFT_OUT)}</li>}
      </ul>
    </>
  );
}

function SaveNow() {
  const actions = useActions();
  const [isSaving, setIsSaving] = useState(false);
  const save = () => {
    setIsSaving(true);
    actions
      .save()
      .catch(showFailure)
      .finally(() => setIsSaving(false));
  };
  return (
    <Button size="sm" className="mt-3" disabled={isSaving} onClick={save}>
      {isSaving ? t.saved.saving : t.saved.now}
    </Button>
  );
}

export default function SaveDetails({ state }: { state: SessionState }) {
  const viewer = useViewer();
  const now = useNow("minute");
  const { saved, saveProblem } = state;
  return (
    <div className="w-72 text-ui">
      {saveProblem !== null && (
        <div className="mb-2 rounded-control bg-bad-soft px-2.5 py-2">
          <p className="font-medium text-bad">{saveProblem.message}</p>
          <p className="mt-0.5 text-label text-fg-2">{saveProblem.detail ?? t.saved.problemLong}</p>
        </div>
      )}
      {saved === null ? (
        <p className="text-fg-2">{t.saved.noneLong}</p>
      ) : (
        <>
          <p>
            {t.saved.safe} <span title={formatExact(saved.at)}>{t.saved.ago(formatAge(saved.at, Math.max(now, saved.at)))}</span>
          </p>
          <p className="mt-0.5 text-label text-fg-3">{t.saved.size(formatCount(saved.treeFiles), formatBytes(saved.storedBytes))}</p>
          <LeftOut leftOut={saved.leftOut} />
        </>
      )}
      {viewer !== null && may(viewer.role, "drive") && <SaveNow />}
    </div>
  );
}
