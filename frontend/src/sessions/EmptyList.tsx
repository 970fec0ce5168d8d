import { lazy, Suspense } from "react";
import { useConfig } from "../auth/use-me.ts";
import { t } from "./messages.ts";

const NewSessionForm = lazy(() => import("../new-session/NewSessionForm.tsx").then((module) => ({ default: module.NewSessionForm })));

/** No session yet: the form for the first one, and prompts to try. */
export function EmptyList() {
  const isOff = useConfig().data?.features.agent === false;
  return (
    <div className="mx-auto w-full max-w-[680px] px-2 py-4 md:py-[10vh]">
      {!isOff && (
        <>
          <h2 className="text-head font-semibold">{t.emptyTitle}</h2>
          <p className="mt-1 mb-4 text-fg-2">{t.emptyHint}</p>
        </>
      )}
      <Suspense fallback={<div className="h-32 animate-skeleton rounded-dock bg-sunken" />}>
        <NewSessionForm projectId={null} withExamples />
      </Suspense>
    </div>
  );
}
