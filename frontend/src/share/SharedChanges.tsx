import { useCallback, useState } from "react";
import type { ChangedFile } from "@ai-dev-platform/protocol/events";
import { useActions, useSessionSelector } from "../session/use-session.ts";
import { Diff } from "../transcript/Diff.tsx";
import { formatCount } from "../ui/format.ts";
import { t } from "./messages.ts";
import { useLoaded } from "./use-loaded.ts";

const NO_FILES: ChangedFile[] = [];

/** The files that differ. Their lines can be read while the session's files are at hand; a look never wakes it. */
export function SharedChanges() {
  const files = useSessionSelector((state) => state.changes.files) ?? NO_FILES;
  if (files.length === 0) return <p className="p-6 text-center text-fg-3">{t.noChanges}</p>;
  return (
    <div className="h-full overflow-y-auto" tabIndex={-1}>
      <ul className="mx-auto flex max-w-[860px] flex-col gap-3 p-4">
        {files.map((file) => (
          <SharedFile key={file.path} file={file} />
        ))}
      </ul>
    </div>
  );
}

function SharedFile({ file }: { file: ChangedFile }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <li className="rounded-card border border-line">
      <details open={isOpen} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
        <summary className="flex min-h-9 items-center gap-3 rounded-card bg-sunken px-3 pointer-coarse:min-h-11">
          <span className="min-w-0 flex-1 truncate font-mono text-mono">{file.path}</span>
          {file.additions >= 0 && (
            <span className="tabular font-mono text-label">
              <span className="text-ok">+{formatCount(file.additions)}</span>{" "}
              <span className="text-bad">−{formatCount(Math.max(0, file.deletions))}</span>
            </span>
          )}
        </summary>
        {isOpen && <SharedPatch key={`${file.additions}:${file.deletions}`} path={file.path} />}
      </details>
    </li>
  );
}

function SharedPatch({ path }: { path: string }) {
  const { query } = useActions();
  const load = useCallback(async () => {
    const result = await query({ kind: "patch", path });
    return result.kind === "patch" ? result.patch : "";
  }, [query, path]);
  const { result } = useLoaded(load);
  if (result.state === "loaded" && result.data !== "") return <Diff patch={result.data} path={path} lineNumbers />;
  return <p className="border-t border-line px-3 py-3 text-fg-3">{result.state === "loading" ? t.opening : t.noPatch}</p>;
}
