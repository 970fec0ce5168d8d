import { useEffect, useState, type ReactNode } from "react";
import { useActions, useConnection } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { formatCount } from "../ui/format.ts";
import { useNow } from "../ui/time.tsx";
import { t } from "./messages.ts";

/** A short gap heals by itself and is not worth a word. */
const QUIET_MS = 2_000;
/** Fewer missing events than this are there before one could read it. */
const MIN_CATCH_UP = 20;

const PILL = "flex h-9 items-center gap-2 rounded-full border border-line bg-raised pr-1.5 pl-3.5 text-label text-fg-2 shadow-overlay";

/** Shows its content once it has been there for a while. */
function AfterPause({ children }: { children: ReactNode }) {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsOver(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, []);
  return isOver ? children : null;
}

function Reconnecting({ retryAt }: { retryAt: number | null }) {
  const actions = useActions();
  const now = useNow("second");
  const seconds = retryAt === null ? 0 : Math.max(0, Math.ceil((retryAt - now) / 1_000));
  return (
    <div className={PILL}>
      <span className="tabular">{seconds > 0 ? t.connection.reconnectingIn(seconds) : t.connection.reconnecting}</span>
      <Button size="sm" variant="ghost" className="rounded-full" onClick={actions.reconnectNow}>
        {t.connection.retry}
      </Button>
    </div>
  );
}

/** The connection's state when it is not simply live. The device's own offline state is the shell's strip. */
export function ConnectionPill() {
  const { phase, retryAt, missing } = useConnection();
  if (phase === "reconnecting" || phase === "connecting") {
    return (
      <AfterPause>
        <Reconnecting retryAt={retryAt} />
      </AfterPause>
    );
  }
  if (phase === "catching_up" && missing >= MIN_CATCH_UP) {
    return (
      <div className={`${PILL} pr-3.5`}>
        <span className="tabular">{t.connection.catchingUp(formatCount(missing))}</span>
      </div>
    );
  }
  return null;
}
