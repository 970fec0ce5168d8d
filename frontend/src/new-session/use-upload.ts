/** The upload of one archive as a person sees it: on its way, failed with the file still at hand, or done (kept by the caller). */
import { useEffect, useRef, useState } from "react";
import { messageOf } from "../api/client.ts";
import { judgeFile } from "./archive-file.ts";
import { uploadArchive, type Upload } from "./upload.ts";
import type { UploadedArchive } from "./uploaded.ts";

export type UploadState =
  | { phase: "none"; problem: string | null }
  | { phase: "sending"; file: File; sentBytes: number }
  | { phase: "failed"; file: File; message: string };

const NONE: UploadState = { phase: "none", problem: null };

export function useUpload(onDone: (archive: UploadedArchive) => void) {
  const [state, setState] = useState<UploadState>(NONE);
  const upload = useRef<Upload | null>(null);
  const done = useRef(onDone);
  useEffect(() => {
    done.current = onDone;
  });
  useEffect(() => () => upload.current?.cancel(), []);

  const send = (file: File) => {
    upload.current?.cancel();
    const judged = judgeFile(file);
    if (!judged.ok) return setState({ phase: "none", problem: judged.problem });
    setState({ phase: "sending", file, sentBytes: 0 });
    const mine = uploadArchive(file, judged.format, (sentBytes) => setState({ phase: "sending", file, sentBytes }));
    upload.current = mine;
    mine.answer.then(
      (body) => {
        setState(NONE);
        done.current({ ...body, name: file.name.slice(0, 200) });
      },
      (error: unknown) => setState({ phase: "failed", file, message: messageOf(error) }),
    );
  };
  const cancel = () => {
    upload.current?.cancel();
    setState(NONE);
  };
  return { state, send, cancel, refuse: (problem: string) => setState({ phase: "none", problem }) };
}
