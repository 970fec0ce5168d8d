import { may } from "@ai-dev-platform/protocol/roles";
import { Moon } from "lucide-react";
import type { ReactNode } from "react";
import { failureMessage } from "../session-page/failure.ts";
import { useActions, useViewer } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { formatCount } from "../ui/format.ts";
import { RelativeTime } from "../ui/time.tsx";
import { t } from "./messages.ts";
import { useWorkspace } from "./use-workspace.ts";

/** A panel without content: what it is, and what can be done. */
export function PanelNote({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-start gap-2 px-4 py-6 text-ui">
      <p className="font-medium">{title}</p>
      {children !== undefined && <p className="text-fg-2">{children}</p>}
      {action}
    </div>
  );
}

export function PanelFailure({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return <PanelNote title={failureMessage(error)} action={<Button onClick={onRetry}>{t.tryAgain}</Button>} />;
}

function Strip({ children }: { children: ReactNode }) {
  const actions = useActions();
  const viewer = useViewer();
  const { canWake } = useWorkspace();
  const mayWake = viewer !== null && may(viewer.role, "drive");
  return (
    <div className="flex flex-none items-center gap-2.5 border-b border-line bg-sunken px-3 py-2 text-label text-fg-2">
      <Moon aria-hidden className="icon flex-none" />
      <p className="min-w-0 flex-1">{children}</p>
      {mayWake && canWake && (
        <Button size="sm" onClick={() => actions.warm()}>
          {t.asleep.wake}
        </Button>
      )}
    </div>
  );
}

/** The sandbox sleeps: says so, and lets those who may drive wake it. */
export function AsleepStrip({ text }: { text: string }) {
  const { isStarting, isAsleep } = useWorkspace();
  return (
    <Strip>
      <span className="font-medium text-fg">{isStarting ? t.asleep.starting : isAsleep ? t.asleep.title : t.asleep.notRunning}</span> {text}
    </Strip>
  );
}

/** What is shown is a saved state: which, from when, and why. */
export function AsOfStrip({ throughSeq, at }: { throughSeq: number; at: number }) {
  const { isStarting, isAsleep } = useWorkspace();
  return (
    <Strip>
      <span className="tabular font-medium text-fg">{t.asOf.step(formatCount(throughSeq))}</span> <RelativeTime at={at} inWords />.{" "}
      {isStarting ? t.asOf.starting : isAsleep ? t.asOf.asleep : t.asOf.notRunning}
    </Strip>
  );
}

export function Skeleton({ lines }: { lines: number }) {
  return (
    <output aria-label={t.loading} className="block animate-skeleton space-y-2 p-3">
      {Array.from({ length: lines }, (_, index) => (
        <div key={index} className="h-4 rounded-chip bg-hover" style={{ width: `${88 - ((index * 17) % 45)}%` }} />
      ))}
    </output>
  );
}

/** A long path keeps its end, which tells files apart. */
export function PathLabel({ path }: { path: string }) {
  const slash = path.lastIndexOf("/");
  return (
    <span className="flex min-w-0 font-mono text-mono" title={path}>
      {slash >= 0 && <span className="min-w-[1.25em] truncate text-fg-2">{path.slice(0, slash)}</span>}
      <span className="max-w-full flex-none truncate">{slash >= 0 ? path.slice(slash) : path}</span>
    </span>
  );
}
