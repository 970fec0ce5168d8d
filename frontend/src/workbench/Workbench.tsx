/** The panel beside the transcript. Panels that were opened stay mounted, so that they keep their place when hidden. */
import { X } from "lucide-react";
import { Tabs } from "radix-ui";
import { lazy, Suspense, useState } from "react";
import type { Panel, PanelPlace } from "../session-page/panel-url.ts";
import { usePanels } from "../session-page/use-panels.ts";
import { useSessionSelector } from "../session/use-session.ts";
import { IconButton } from "../ui/button.tsx";
import { PanelBoundary } from "../ui/error-boundary.tsx";
import { ChangesPanel } from "./ChangesPanel.tsx";
import { FilesPanel } from "./FilesPanel.tsx";
import { McpPanel } from "./McpPanel.tsx";
import { t } from "./messages.ts";

const NetworkPanel = lazy(() => import("./NetworkPanel.tsx").then((module) => ({ default: module.NetworkPanel })));

const TimelinePanel = lazy(() => import("../timeline/TimelinePanel.tsx"));

export interface WorkbenchProps {
  sessionId: string;
  panel: Panel;
  place: PanelPlace;
  onPlace: (place: PanelPlace) => void;
  /** Null on the phone, where the page's own tabs take this part. */
  onClose: (() => void) | null;
}

const TAB =
  "inline-flex h-8 items-center gap-1.5 rounded-control px-2.5 text-ui font-medium text-fg-2 transition-colors hover:text-fg data-[state=active]:bg-hover data-[state=active]:text-fg";

export function Workbench({ sessionId, panel, place, onPlace, onClose }: WorkbenchProps) {
  const panels = usePanels();
  const blocked = useSessionSelector((state) => state.blockedHosts.length) ?? 0;
  const changed = useSessionSelector((state) => state.changes.files.length) ?? 0;
  const [opened, setOpened] = useState<ReadonlySet<Panel>>(new Set([panel]));
  if (!opened.has(panel)) setOpened(new Set([...opened, panel]));
  const openFile = (file: string | null) => onPlace({ panel: "files", file, line: null });

  const content: Record<Panel, React.ReactNode> = {
    changes: <ChangesPanel sessionId={sessionId} file={panel === "changes" ? place.file : null} onOpenFile={openFile} />,
    files: <FilesPanel sessionId={sessionId} file={panel === "files" ? place.file : null} line={place.line} onOpenFile={openFile} />,
    network: (
      <Suspense fallback={null}>
        <NetworkPanel />
      </Suspense>
    ),
    timeline: (
      <Suspense fallback={null}>
        <TimelinePanel sessionId={sessionId} />
      </Suspense>
    ),
    mcp: <McpPanel />,
  };
  return (
    <Tabs.Root
      value={panel}
      onValueChange={(value) => {
        const next = panels.find((known) => known === value);
        if (next !== undefined) onPlace({ panel: next, file: null, line: null });
      }}
      className="flex h-full min-h-0 flex-col bg-bg"
    >
      {onClose !== null && (
        <div className="flex h-11 flex-none items-center gap-1 border-b border-line pr-2 pl-2">
          <Tabs.List aria-label={t.region} className="flex gap-0.5">
            {panels.map((name) => (
              <Tabs.Trigger key={name} value={name} className={TAB}>
                {t.tabs[name]}
                {name === "changes" && changed > 0 && <span className="tabular text-fg-3">{changed}</span>}
                {name === "network" && blocked > 0 && <span className="tabular text-fg-3">{blocked}</span>}
              </Tabs.Trigger>
            ))}
          </Tabs.List>
          <span className="flex-1" />
          <IconButton label={t.close} onClick={onClose}>
            <X />
          </IconButton>
        </div>
      )}
      {panels.map((name) => (
        <Tabs.Content key={name} value={name} forceMount tabIndex={-1} className="min-h-0 flex-1 outline-none data-[state=inactive]:hidden">
          {opened.has(name) && <PanelBoundary name={t.tabs[name]}>{content[name]}</PanelBoundary>}
        </Tabs.Content>
      ))}
    </Tabs.Root>
  );
}
