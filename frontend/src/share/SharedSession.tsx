import { QueryProvider } from "../query-provider.tsx";
import SessionPage from "../session-page/SessionPage.tsx";

/** The session page itself, opened from a link that allows more than looking. */
export default function SharedSession({ sessionId, shareId }: { sessionId: string; shareId: string }) {
  return (
    <QueryProvider>
      <SessionPage sessionId={sessionId} shareId={shareId} />
    </QueryProvider>
  );
}
