/** Uploads a zip or tar that a new project begins with: dropped or chosen, with its progress, and a way out at every step. */
import { MAX_IMPORT_BYTES } from "@ai-dev-platform/protocol/limits";
import { CircleCheck, FileArchive } from "lucide-react";
import { useEffect, useId, useRef, useState, type DragEvent, type ReactNode } from "react";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { classes } from "../ui/classes.ts";
import { formatBytes } from "../ui/format.ts";
import { t } from "./upload-messages.ts";
import type { UploadedArchive } from "./uploaded.ts";
import { useUpload } from "./use-upload.ts";

const ACCEPTED = ".zip,.tar,.tgz,.gz,application/zip,application/x-tar,application/gzip";

interface ArchiveFieldProps {
  archive: UploadedArchive | null;
  onChange: (archive: UploadedArchive | null) => void;
  /** Nothing was chosen, and something has to be. */
  error?: string | undefined;
}

/** A file that misses the field must not replace the page with itself. */
function useHarmlessDrops(): void {
  useEffect(() => {
    const stop = (event: globalThis.DragEvent) => event.preventDefault();
    addEventListener("dragover", stop);
    addEventListener("drop", stop);
    return () => {
      removeEventListener("dragover", stop);
      removeEventListener("drop", stop);
    };
  }, []);
}

export function ArchiveField({ archive, onChange, error }: ArchiveFieldProps) {
  const announce = useAnnounce();
  const upload = useUpload((done) => {
    announce(t.announceReady(done.name));
    onChange(done);
  });
  useHarmlessDrops();
  const take = (files: FileList | null) => {
    const [file] = files ?? [];
    if (file === undefined) return;
    onChange(null);
    if ((files?.length ?? 0) > 1) upload.refuse(t.many);
    else upload.send(file);
  };
  const { state } = upload;
  if (state.phase === "sending") return <Sending file={state.file} sentBytes={state.sentBytes} error={error} onCancel={upload.cancel} />;
  if (state.phase === "failed") {
    return (
      <Frame>
        <Callout tone="bad" alert>
          <p className="font-medium break-words">{t.failed(state.file.name)}</p>
          <p>{state.message}</p>
          <div className="mt-2 flex flex-wrap gap-2">
            <Button size="sm" onClick={() => upload.send(state.file)}>
              {t.retry}
            </Button>
            <Button size="sm" variant="ghost" onClick={upload.cancel}>
              {t.other}
            </Button>
          </div>
        </Callout>
      </Frame>
    );
  }
  if (archive !== null) {
    return (
      <Frame>
        <div className="flex items-center gap-2.5 rounded-card border border-line px-3 py-2">
          <CircleCheck aria-hidden className="icon flex-none text-ok" />
          <p className="min-w-0 flex-1">
            <span className="block truncate font-medium">{archive.name}</span>
            <span className="tabular block text-label text-fg-3">
              {t.ready} · {formatBytes(archive.bytes)}
            </span>
          </p>
          <Button size="sm" variant="ghost" onClick={() => onChange(null)}>
            {t.remove}
          </Button>
        </div>
      </Frame>
    );
  }
  return <DropZone problem={state.problem ?? error} onFiles={take} />;
}

function Frame({ children }: { children: ReactNode }) {
  return (
    <div>
      <p className="mb-1 text-label font-medium text-fg-2">{t.label}</p>
      {children}
    </div>
  );
}

function DropZone({ problem, onFiles }: { problem: string | undefined; onFiles: (files: FileList | null) => void }) {
  const [isOver, setIsOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const over = (isOver: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setIsOver(isOver);
  };
  return (
    <Frame>
      <div
        onDragEnter={over(true)}
        onDragOver={over(true)}
        onDragLeave={over(false)}
        onDrop={(event) => {
          event.preventDefault();
          setIsOver(false);
          onFiles(event.dataTransfer.files);
        }}
        className={classes(
          "flex flex-col items-center gap-2 rounded-card border border-dashed px-3 py-5 text-center transition-colors",
          isOver ? "border-accent bg-accent-soft" : problem === undefined ? "border-line-strong" : "border-bad",
        )}
      >
        <FileArchive aria-hidden className="size-5 stroke-[1.75] text-fg-3" />
        <p className="text-fg-2 pointer-coarse:hidden">{t.drop}</p>
        <Button aria-describedby={`${id}-hint${problem === undefined ? "" : ` ${id}-problem`}`} onClick={() => input.current?.click()}>
          {t.choose}
        </Button>
        <input
          ref={input}
          type="file"
          accept={ACCEPTED}
          hidden
          onChange={(event) => {
            onFiles(event.target.files);
            // The same file may be chosen again.
            event.target.value = "";
          }}
        />
        <p id={`${id}-hint`} className="text-label text-fg-3">
          {t.hint(formatBytes(MAX_IMPORT_BYTES))}
        </p>
      </div>
      {problem !== undefined && (
        <p id={`${id}-problem`} role="alert" className="mt-1 text-label text-bad">
          {problem}
        </p>
      )}
    </Frame>
  );
}

interface SendingProps {
  file: File;
  sentBytes: number;
  error: string | undefined;
  onCancel: () => void;
}

function Sending({ file, sentBytes, error, onCancel }: SendingProps) {
  const sent = Math.min(sentBytes, file.size);
  const words = sent < file.size ? t.sent(formatBytes(sent), formatBytes(file.size)) : t.checking;
  return (
    <Frame>
      <div className="rounded-card border border-line px-3 py-2">
        <div className="flex items-center gap-2">
          <p className="min-w-0 flex-1">
            <span className="block truncate font-medium">{t.uploading(file.name)}</span>
            <span className="tabular block text-label text-fg-3">{words}</span>
          </p>
          <Button size="sm" onClick={onCancel}>
            {t.cancel}
          </Button>
        </div>
        <progress
          aria-label={t.uploading(file.name)}
          max={file.size}
          value={sent}
          className="mt-2 block h-1.5 w-full appearance-none overflow-hidden rounded-full bg-sunken [&::-moz-progress-bar]:bg-ink [&::-webkit-progress-bar]:bg-sunken [&::-webkit-progress-value]:bg-ink"
        />
      </div>
      {error !== undefined && (
        <p role="alert" className="mt-1 text-label text-bad">
          {error}
        </p>
      )}
    </Frame>
  );
}
