import type { Problem } from "@ai-dev-platform/protocol/events";
import type { ReactNode } from "react";
import { ScrollBox } from "../session-page/ScrollBox.tsx";
import { t } from "./messages.ts";

/** A problem in plain words, what follows from it, and the raw text on demand. */
export function ProblemText({ problem, children }: { problem: Problem | null; children?: ReactNode }) {
  return (
    <>
      <p className="text-ui text-fg-2">
        {problem?.message} {children}
      </p>
      {problem?.detail !== undefined && problem.detail !== "" && (
        <details className="mt-1 text-label text-fg-2">
          <summary className="min-h-6">{t.details}</summary>
          <ScrollBox
            label={t.details}
            className="mt-1 max-h-40 overflow-auto rounded-control border border-line bg-surface p-2 font-mono break-words whitespace-pre-wrap"
          >
            {problem.detail}
          </ScrollBox>
        </details>
      )}
    </>
  );
}
