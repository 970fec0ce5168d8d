import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { messageOf } from "../api/client.ts";
import { Button } from "../ui/button.tsx";
import { Callout } from "../ui/callout.tsx";
import { t } from "./messages.ts";

/** Shows what was loaded; before that a quiet block, and after a failure the reason with a way on. */
export function Loaded<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return children(query.data);
  if (query.isPending) return <div className="h-24 animate-skeleton rounded-card bg-sunken" />;
  return (
    <Callout tone="bad" alert>
      <p>
        {t.loadFailed} {messageOf(query.error)}
      </p>
      <Button size="sm" className="mt-2" onClick={() => void query.refetch()}>
        {t.retry}
      </Button>
    </Callout>
  );
}
