import type { ReactNode } from "react";
import { Redirect, useLocation, useSearch } from "wouter";
import { messageOf } from "../api/client.ts";
import { paths } from "../routes.ts";
import { Button } from "../ui/button.tsx";
import { t } from "./messages.ts";
import { useMe } from "./use-me.ts";

/** Shows its children to a signed-in person, and sends anybody else to sign in and back. */
export function RequireUser({ children }: { children: ReactNode }) {
  const me = useMe();
  const [location] = useLocation();
  const search = useSearch();
  if (me.data === null) return <Redirect to={paths.signIn(search === "" ? location : `${location}?${search}`)} replace />;
  if (me.data !== undefined) return children;
  if (me.isPending) return <div className="h-full animate-skeleton bg-bg" />;
  return (
    <main className="flex h-full flex-col items-center justify-center gap-3 p-6 text-center">
      <h1 className="text-title font-semibold">{t.unreachable}</h1>
      <p className="text-fg-2">{messageOf(me.error)}</p>
      <Button onClick={() => void me.refetch()}>{t.retry}</Button>
    </main>
  );
}
