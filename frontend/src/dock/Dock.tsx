/**
 * The attention dock: what needs a person, above the composer, one at a time. Never takes the focus by itself; after an
 * answer the focus goes back to where it was. Owns which item is shown and what was put away on this screen.
 */
import { APPROVAL_TTL_MS } from "@ai-dev-platform/protocol/limits";
import { may } from "@ai-dev-platform/protocol/roles";
import { Check } from "lucide-react";
import { lazy, Suspense, useEffect, useMemo, useRef, useState, type FocusEvent } from "react";
import { hasSeveralThreads, threadOf } from "../session/threads.ts";
import { useSessionSelector, useSessionState, useViewer } from "../session/use-session.ts";
import { formatAge, formatDuration } from "../ui/format.ts";
import { PanelBoundary } from "../ui/error-boundary.tsx";
import { useNow } from "../ui/time.tsx";
import { threadTitle } from "../session-page/thread-title.ts";
import { dockItems, isDismissible, type DockItem } from "./dock-items.ts";
import { DockStackContext } from "./DockCard.tsx";
import { t } from "./messages.ts";
import { useAnswers, type Answers } from "./use-answers.ts";

export const DOCK_ID = "dock";

const Notice = lazy(() => import("./Notices.tsx"));
const loadApprovalCard = () => import("./ApprovalCard.tsx");
const ApprovalCard = lazy(loadApprovalCard);

function AskedMeta({ at, thread }: { at: number; thread: string }) {
  const now = useNow("minute");
  const title = useSessionSelector((state) => (hasSeveralThreads(state) ? threadTitle(threadOf(state, thread)) : "")) ?? "";
  const leftMs = Math.max(0, at + APPROVAL_TTL_MS - now);
  return (
    <>
      {t.asked(formatAge(at, Math.max(now, at)))}
      {title !== "" && ` · ${t.from(title)}`} · {t.expires(formatDuration(leftMs))}
    </>
  );
}

interface DockBodyProps {
  item: DockItem;
  answers: Answers;
  mayAnswer: boolean;
  onHide: () => void;
  onAnswered: () => void;
}

function DockBody({ item, answers, mayAnswer, onHide, onAnswered }: DockBodyProps) {
  if (item.kind !== "approval") {
    return (
      <Suspense fallback={null}>
        <Notice item={item} onHide={onHide} />
      </Suspense>
    );
  }
  return (
    <Suspense fallback={null}>
      <ApprovalCard
        request={item.open.request}
        meta={<AskedMeta at={item.open.at} thread={item.open.thread} />}
        error={answers.refused.get(item.id)}
        mayAnswer={mayAnswer}
        onAnswer={(answer) => {
          answers.give(item.id, answer);
          onAnswered();
        }}
      />
    </Suspense>
  );
}

/** Remembers what had the focus before the dock got it, and gives it back. */
function useFocusReturn() {
  const before = useRef<HTMLElement | null>(null);
  return {
    onFocus: (event: FocusEvent<HTMLElement>) => {
      const from = event.relatedTarget;
      if (from instanceof HTMLElement && !event.currentTarget.contains(from)) before.current = from;
    },
    giveBack: () => {
      if (document.getElementById(DOCK_ID)?.contains(document.activeElement) === true) before.current?.focus({ preventScroll: true });
      before.current = null;
    },
  };
}

export function Dock() {
  const state = useSessionState();
  const viewer = useViewer();
  const answers = useAnswers();
  const focus = useFocusReturn();
  const [putAway, setPutAway] = useState<ReadonlySet<string>>(new Set());
  const [shownId, setShownId] = useState<string | null>(null);
  // Asked for early: it is there when the first request comes, also where the network is not.
  useEffect(() => void loadApprovalCard().catch(() => undefined), []);
  const hidden = useMemo(() => new Set([...putAway, ...answers.given.keys()]), [putAway, answers.given]);
  if (state === null || viewer === null) return null;

  const items = dockItems(state, hidden);
  const index = Math.max(
    0,
    items.findIndex((item) => item.id === shownId),
  );
  const item = items[index];
  const justAnswered = state.approvals.findLast((open) => answers.given.has(open.request.approvalId));
  const hide = (id: string) => {
    focus.giveBack();
    setPutAway((before) => new Set(before).add(id));
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- only watches where the focus comes from
    <section id={DOCK_ID} tabIndex={-1} aria-label={t.region} onFocus={focus.onFocus} className="flex min-h-0 flex-col outline-none">
      {item === undefined && justAnswered !== undefined && <Outcome decision={answers.given.get(justAnswered.request.approvalId)} />}
      {item !== undefined && (
        <DockStackContext
          value={{
            position: index + 1,
            count: items.length,
            go: (step) => setShownId(items[index + step]?.id ?? null),
            dismiss: isDismissible(item) ? () => hide(item.id) : null,
          }}
        >
          <PanelBoundary name={t.region}>
            <DockBody
              key={item.id}
              item={item}
              answers={answers}
              mayAnswer={may(viewer.role, "approve")}
              onHide={() => hide(item.id)}
              onAnswered={focus.giveBack}
            />
          </PanelBoundary>
        </DockStackContext>
      )}
    </section>
  );
}

function Outcome({ decision }: { decision: keyof typeof t.outcome | undefined }) {
  if (decision === undefined) return null;
  return (
    <p className="flex h-9 items-center gap-2 rounded-dock border border-line bg-surface px-3.5 text-ui text-fg-2">
      <Check aria-hidden className="icon text-ok" />
      {t.outcome[decision]}
    </p>
  );
}

/** Puts the focus on the dock's first control, by the person's own key. */
export function focusDock(): void {
  const dock = document.getElementById(DOCK_ID);
  const first = dock?.querySelector<HTMLElement>("footer button, button, input, a[href]");
  (first ?? dock)?.focus();
}
