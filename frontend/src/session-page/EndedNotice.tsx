import { Link } from "wouter";
import type { Connection } from "../session/connection.ts";
import { paths } from "../routes.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { t } from "./late-messages.ts";

/** The session cannot go on in this tab: why, and the one thing to do. */
export default function EndedNotice({ reason, isShared }: { reason: NonNullable<Connection["endedReason"]>; isShared: boolean }) {
  const { title, body } = t.ended[reason];
  return (
    <main id="main" tabIndex={-1} className="flex flex-1 flex-col items-center justify-center gap-3 px-6 text-center">
      <h1 className="text-head font-semibold">{title}</h1>
      <p className="max-w-md text-body text-fg-2">{body}</p>
      {reason === "incompatible" ? (
        <Button variant="primary" onClick={() => location.reload()}>
          {t.ended.reload}
        </Button>
      ) : (
        !isShared && (
          <Link href={paths.sessions} className={buttonClass("primary")}>
            {t.ended.toSessions}
          </Link>
        )
      )}
    </main>
  );
}
