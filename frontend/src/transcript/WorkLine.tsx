/** "Worked 4m 12s · 23 steps · 6 files": the line that a finished turn's quiet steps fold into. */
import { ChevronRight } from "lucide-react";
import { useDisclosure } from "../session/use-session.ts";
import { formatDuration } from "../ui/format.ts";
import { t } from "./messages.ts";
import type { WorkRow } from "./rows.ts";

export function WorkLine({ row }: { row: WorkRow }) {
  const [isOpen, setOpen] = useDisclosure(row);
  return (
    <button type="button" className="work-line" aria-expanded={isOpen} data-toggle="" onClick={() => setOpen(!isOpen)}>
      <ChevronRight className="tool-chevron" aria-hidden="true" />
      <span>{t.work.folded(formatDuration(row.durationMs ?? 0), row.steps, row.files)}</span>
    </button>
  );
}
