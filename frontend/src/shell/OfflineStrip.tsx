import { useSyncExternalStore } from "react";
import { t } from "./messages.ts";

function subscribe(listener: () => void): () => void {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}

/** Says so while this device has no network. */
export function OfflineStrip() {
  const isOnline = useSyncExternalStore(subscribe, () => navigator.onLine);
  if (isOnline) return null;
  return (
    <output className="block flex-none border-b border-warn-line bg-warn-soft px-4 py-1.5 text-center text-label text-fg">
      {t.offline}
    </output>
  );
}
