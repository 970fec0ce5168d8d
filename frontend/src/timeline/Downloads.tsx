/** A saved state as one file to take away. Read from storage: nothing has to run. */
import type { ArchiveDownload } from "@ai-dev-platform/protocol/http";
import type { TimelineEntry } from "@ai-dev-platform/protocol/queries";
import { Download } from "lucide-react";
import { useState } from "react";
import { archivePath } from "../api/download-paths.ts";
import { buttonClass } from "../ui/button.tsx";
import { Checkbox } from "../ui/checkbox.tsx";
import { formatCount } from "../ui/format.ts";
import { t } from "./messages.ts";

const FORMATS: readonly ArchiveDownload[] = ["zip", "tar"];

export function Downloads({ sessionId, entry }: { sessionId: string; entry: TimelineEntry }) {
  const [withGit, setWithGit] = useState(false);
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-label">
      <span className="font-medium text-fg-2">{t.download.title}</span>
      <span className="flex gap-1.5">
        {FORMATS.map((format) => (
          <a
            key={format}
            download
            href={archivePath(sessionId, entry.snapshotId, format, withGit)}
            aria-label={t.download.label(t.download[format], formatCount(entry.throughSeq))}
            className={buttonClass("secondary", "sm")}
          >
            <Download aria-hidden className="icon size-3.5" />
            {t.download[format]}
          </a>
        ))}
      </span>
      <span className="[&_label]:items-center">
        <Checkbox checked={withGit} onChange={setWithGit}>
          {t.download.withGit}
        </Checkbox>
      </span>
    </div>
  );
}
