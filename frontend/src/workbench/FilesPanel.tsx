import { RefreshCw } from "lucide-react";
import { useState } from "react";
import { IconButton } from "../ui/button.tsx";
import { FileTree } from "./FileTree.tsx";
import { FileView } from "./FileView.tsx";
import { FoundFiles } from "./FoundFiles.tsx";
import { t } from "./messages.ts";
import { foldersAbove } from "./tree-rows.ts";
import { AsleepStrip, AsOfStrip } from "./PanelStates.tsx";
import { useWorkspace } from "./use-workspace.ts";

export interface FilesPanelProps {
  sessionId: string;
  file: string | null;
  line: number | null;
  onOpenFile: (path: string | null) => void;
}

/** The project's files: the tree, or one file. The tree stays as it was while a file is read. */
export function FilesPanel({ sessionId, file, line, onOpenFile }: FilesPanelProps) {
  const { isAwake, canRead, saved } = useWorkspace();
  const [text, setText] = useState("");
  const [refreshKey, setRefreshKey] = useState(0);
  return (
    <div className="relative h-full min-h-0">
      <div className="flex h-full min-h-0 flex-col" inert={file !== null}>
        <div className="flex h-10 flex-none items-center gap-1 border-b border-line pr-2 pl-3 pointer-coarse:h-12">
          <input
            type="search"
            aria-label={t.files.filter}
            placeholder={t.files.filter}
            maxLength={200}
            value={text}
            disabled={!canRead}
            onChange={(event) => setText(event.target.value)}
            className="field h-8 min-w-0 flex-1 bg-transparent outline-none pointer-coarse:h-11"
          />
          <IconButton size="sm" label={t.refresh} disabled={!canRead} onClick={() => setRefreshKey((key) => key + 1)}>
            <RefreshCw />
          </IconButton>
        </div>
        {!isAwake && (saved === null ? <AsleepStrip text={t.asleep.files} /> : <AsOfStrip {...saved} />)}
        <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain">
          {text.trim() === "" ? (
            <FileTree
              sessionId={sessionId}
              selected={file}
              initiallyOpen={file === null ? [] : foldersAbove(file)}
              refreshKey={refreshKey}
              onOpenFile={onOpenFile}
            />
          ) : (
            <FoundFiles sessionId={sessionId} text={text.trim()} onOpenFile={onOpenFile} />
          )}
        </div>
      </div>
      {file !== null && (
        <div className="absolute inset-0 bg-bg">
          <FileView key={file} sessionId={sessionId} path={file} line={line} onBack={() => onOpenFile(null)} />
        </div>
      )}
    </div>
  );
}
