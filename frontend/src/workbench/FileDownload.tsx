/**
 * A file to take away. Of a saved state: its bytes from storage, which only the owner may fetch. Of a running workspace: what
 * is shown, when all of it is here, else what was saved last. The label says which.
 */
import type { QueryResult } from "@ai-dev-platform/protocol/queries";
import { may } from "@ai-dev-platform/protocol/roles";
import { Download } from "lucide-react";
import { savedFilePath } from "../api/download-paths.ts";
import { useSessionSelector, useViewer } from "../session/use-session.ts";
import { buttonClass, IconButton } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { formatCount } from "../ui/format.ts";
import { Tooltip } from "../ui/tooltip.tsx";
import { t } from "./messages.ts";

const SQUARE = "size-7 px-0 flex-none pointer-coarse:size-11 pointer-coarse:px-0 [&_svg]:size-4 [&_svg]:stroke-[1.75]";

function saveText(path: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text]));
  const link = document.createElement("a");
  link.href = address;
  link.download = path.slice(path.lastIndexOf("/") + 1);
  link.click();
  URL.revokeObjectURL(address);
}

interface FileDownloadProps {
  sessionId: string;
  path: string;
  file: Extract<QueryResult, { kind: "file" }> | undefined;
}

export function FileDownload({ sessionId, path, file }: FileDownloadProps) {
  const viewer = useViewer();
  const saved = useSessionSelector((state) => state.saved);
  if (file === undefined) return null;
  const { text, truncated, asOf } = file;
  const isOwner = viewer !== null && may(viewer.role, "own");
  if (text !== null && !truncated && !(isOwner && asOf !== undefined)) {
    return (
      <IconButton size="sm" label={t.files.download} onClick={() => saveText(path, text)}>
        <Download />
      </IconButton>
    );
  }
  const from = asOf ?? saved;
  if (from === null || !isOwner) return null;
  const label = asOf === undefined ? t.files.downloadSaved(formatCount(from.throughSeq)) : t.files.download;
  return (
    <Tooltip text={label}>
      <a
        download
        href={savedFilePath(sessionId, from.snapshotId, path)}
        aria-label={label}
        className={classes(buttonClass("ghost", "sm"), SQUARE)}
      >
        <Download aria-hidden />
      </a>
    </Tooltip>
  );
}
