/** What Claude thought: open while it streams, one line afterwards. */
import { ChevronRight } from "lucide-react";
import { useDisclosure } from "../session/use-session.ts";
import { Markdown } from "./Markdown.tsx";
import { t } from "./messages.ts";
import type { TextRow } from "./rows.ts";

export function ThinkingBlock({ row }: { row: TextRow }) {
  const [isOpen, setOpen] = useDisclosure(row);
  return (
    <div className="thinking" data-open={isOpen || undefined}>
      <button type="button" className="work-line" aria-expanded={isOpen} data-toggle="" onClick={() => setOpen(!isOpen)}>
        <ChevronRight className="tool-chevron" aria-hidden="true" />
        <span>{row.isLive ? t.thinking.live : t.thinking.done}</span>
      </button>
      {isOpen && (
        <div className="thinking-text">
          <Markdown text={row.text} live={row.isLive} />
        </div>
      )}
    </div>
  );
}
