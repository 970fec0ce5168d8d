/** What a row looks like, by its kind. */
import { lazy, memo, Suspense } from "react";
import { Markdown } from "./Markdown.tsx";
import { PromptBubble } from "./PromptBubble.tsx";
import type { Row } from "./rows.ts";
import { ThinkingBlock } from "./ThinkingBlock.tsx";
import { ToolCard } from "./ToolCard.tsx";
import { WorkLine } from "./WorkLine.tsx";

const StatusLine = lazy(() => import("./StatusLine.tsx"));
const ExecutionCard = lazy(() => import("./ExecutionCard.tsx"));
const ApprovalLine = lazy(() => import("./ApprovalLine.tsx").then((module) => ({ default: module.ApprovalLine })));

export const RowContent = memo(function RowContent({ row }: { row: Row }) {
  switch (row.kind) {
    case "prompt":
      return <PromptBubble row={row} />;
    case "text":
      return <Markdown text={row.text} live={row.isLive} />;
    case "thinking":
      return <ThinkingBlock row={row} />;
    case "tool":
      return <ToolCard row={row} />;
    case "approval":
      return (
        <Suspense fallback={<div className="h-9" />}>
          <ApprovalLine row={row} />
        </Suspense>
      );
    case "status":
      return (
        <Suspense fallback={<div className="h-6" />}>
          <StatusLine row={row} />
        </Suspense>
      );
    case "execution":
      return (
        <Suspense fallback={<div className="h-9" />}>
          <ExecutionCard row={row} />
        </Suspense>
      );
    case "work":
      return <WorkLine row={row} />;
  }
});
