import { usePageTitle } from "../shell/page-title.ts";
import { t } from "./messages.ts";

/** The one page of every link that does not open a session, whatever the reason. */
export function SharedEnded() {
  usePageTitle(t.endedTitle);
  return (
    <main className="flex h-full flex-col items-center justify-center gap-2 p-6 text-center">
      <h1 className="text-title font-semibold">{t.endedTitle}</h1>
      <p className="text-fg-2">{t.endedText}</p>
    </main>
  );
}
