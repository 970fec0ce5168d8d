import { useEffect } from "react";
import { t } from "./messages.ts";

/** Names the tab after the page. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = title === "" ? t.brand : `${title} · ${t.brand}`;
  }, [title]);
}
