/** What a person asked, with its fate while it is on its way. The text is shown as typed. */
import { useState } from "react";
import { useActions, useViewer } from "../session/use-session.ts";
import { Button } from "../ui/button.tsx";
import { t } from "./messages.ts";
import { isBy } from "./is-by.ts";
import type { PromptRow } from "./rows.ts";

/** A longer prompt opens in part, so that a pasted log does not fill the screen. */
const SHOWN_CHARS = 1_200;

export function PromptBubble({ row }: { row: PromptRow }) {
  const [showsAll, setShowsAll] = useState(false);
  const viewer = useViewer();
  const isMine = isBy(row.author, viewer);
  const text = row.text ?? t.prompt.earlier;
  const isLong = text.length > SHOWN_CHARS;
  return (
    <div className="prompt" data-status={row.status}>
      {!isMine && <p className="prompt-author">{row.author?.name}</p>}
      <div className="prompt-text" data-missing={row.text === null || undefined}>
        {isLong && !showsAll ? `${text.slice(0, SHOWN_CHARS)}…` : text}
      </div>
      {isLong && (
        <button type="button" className="prompt-more" aria-expanded={showsAll} onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? t.prompt.less : t.prompt.more}
        </button>
      )}
      <PromptNote row={row} />
    </div>
  );
}

function PromptNote({ row }: { row: PromptRow }) {
  const actions = useActions();
  switch (row.status) {
    case "taken":
      return row.isSteering ? <p className="prompt-note">{t.prompt.steering}</p> : null;
    case "sending":
      return <p className="prompt-note">{t.prompt.sending}</p>;
    case "waiting":
      return <p className="prompt-note">{t.prompt.waiting}</p>;
    default:
      return (
        <div className="prompt-note text-warn">
          <span>{row.message ?? (row.status === "refused" ? t.prompt.refused : t.prompt.notConfirmed)}</span>
          <Button size="sm" variant="ghost" onClick={() => actions.retryPrompt(row.promptId)}>
            {t.prompt.retry}
          </Button>
          <Button size="sm" variant="ghost" onClick={() => actions.discardPrompt(row.promptId)}>
            {t.prompt.discard}
          </Button>
        </div>
      );
  }
}
