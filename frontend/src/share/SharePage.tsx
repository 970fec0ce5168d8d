/**
 * What opens from a link. A viewer's link shows the session read-only, without the app's frame; a link that allows more
 * opens the session page itself. Unknown, expired and revoked links show one and the same page.
 */
import { lazy, Suspense, useCallback, useEffect } from "react";
import { ApiError, messageOf } from "../api/client.ts";
import { Button } from "../ui/button.tsx";
import { t } from "./messages.ts";
import { openShare, takeSecret } from "./open-share.ts";
import { SharedEnded } from "./SharedEnded.tsx";
import { useLoaded } from "./use-loaded.ts";

const SharedView = lazy(() => import("./SharedView.tsx"));
const SharedSession = lazy(() => import("./SharedSession.tsx"));

/** Tells search engines to leave the page alone, also where no server header does. */
function useNoIndex(): void {
  useEffect(() => {
    const meta = document.createElement("meta");
    meta.name = "robots";
    meta.content = "noindex, nofollow";
    document.head.append(meta);
    return () => meta.remove();
  }, []);
}

const isEnded = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === "share_ended" || error.code === "not_found" || error.code === "bad_request");

export default function SharePage({ shareId }: { shareId: string }) {
  useNoIndex();
  takeSecret(shareId);
  const { result, retry } = useLoaded(useCallback(() => openShare(shareId), [shareId]));
  if (result.state === "loading") return <Opening />;
  if (result.state === "loaded") {
    const { sessionId, role } = result.data;
    return (
      <Suspense fallback={<Opening />}>
        {role === "viewer" ? <SharedView share={result.data} /> : <SharedSession sessionId={sessionId} shareId={shareId} />}
      </Suspense>
    );
  }
  if (isEnded(result.error)) return <SharedEnded />;
  return (
    <main className="flex h-full flex-col items-center justify-center gap-3 p-6 text-center">
      <h1 className="text-title font-semibold">{t.failedTitle}</h1>
      <p className="text-fg-2">{messageOf(result.error)}</p>
      <Button onClick={retry}>{t.retry}</Button>
    </main>
  );
}

function Opening() {
  return (
    <main aria-busy className="h-full animate-skeleton bg-bg">
      <h1 className="sr-only">{t.opening}</h1>
    </main>
  );
}
