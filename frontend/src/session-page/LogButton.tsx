import { lazy, Suspense, useState } from "react";
import { Button } from "../ui/button.tsx";
import { t } from "./late-messages.ts";

const RunnerLog = lazy(() => import("./RunnerLog.tsx"));

/** Opens the runner's own log, for who wants to know why a start takes long or fails. */
export function LogButton() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button size="sm" variant="ghost" onClick={() => setIsOpen(true)}>
        {t.log.show}
      </Button>
      {isOpen && (
        <Suspense fallback={null}>
          <RunnerLog onClose={() => setIsOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
