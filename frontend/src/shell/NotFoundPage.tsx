import { Link } from "wouter";
import { paths } from "../routes.ts";
import { buttonClass } from "../ui/button.tsx";
import { usePageTitle } from "./page-title.ts";
import { t } from "./messages.ts";

/** One page for what does not exist and for what is not yours, so that it tells nobody which. */
export function NotFoundPage() {
  usePageTitle(t.notFoundTitle);
  return (
    <main id="main" className="flex h-full flex-col items-center justify-center gap-2 p-6 text-center">
      <h1 className="text-title font-semibold">{t.notFoundTitle}</h1>
      <p className="mb-3 text-fg-2">{t.notFoundText}</p>
      <Link href={paths.sessions} className={buttonClass("secondary")}>
        {t.toSessions}
      </Link>
    </main>
  );
}
