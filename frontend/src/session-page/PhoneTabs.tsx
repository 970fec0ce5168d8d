import { useSessionSelector } from "../session/use-session.ts";
import { t } from "./messages.ts";
import type { Panel } from "./panel-url.ts";
import { usePanels } from "./use-panels.ts";

/** Chat · Changes · Files: on the phone a part of the session is the whole screen. */
export function PhoneTabs({ panel, onPanel }: { panel: Panel | null; onPanel: (panel: Panel | null) => void }) {
  const changed = useSessionSelector((state) => state.changes.files.length) ?? 0;
  const parts: readonly (Panel | null)[] = [null, ...usePanels()];
  return (
    <nav aria-label={t.tabs.label} className="flex h-11 flex-none items-center overflow-x-auto border-b border-line px-1.5">
      {parts.map((part) => (
        <button
          key={part ?? "chat"}
          type="button"
          aria-current={part === panel ? "page" : undefined}
          onClick={() => onPanel(part)}
          className="group flex h-11 flex-none items-center rounded-full"
        >
          <span className="flex h-8 items-center gap-1.5 rounded-full px-3.5 text-ui font-medium text-fg-2 group-aria-[current]:bg-ink group-aria-[current]:text-on-ink">
            {t.tabs[part ?? "chat"]}
            {part === "changes" && changed > 0 && <span className="tabular opacity-80">{changed}</span>}
          </span>
        </button>
      ))}
    </nav>
  );
}
