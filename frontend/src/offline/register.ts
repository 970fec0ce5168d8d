/**
 * Registers the service worker once the page is there, and tells when a new version waits. Nothing changes under somebody's
 * hands: the new version takes over when they say so, or when the last page of the old one is closed.
 */
import { buttonClass } from "../ui/button.tsx";
import { t } from "./messages.ts";

export async function registerServiceWorker(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" });
  const tell = (worker: ServiceWorker | null): void => {
    // The first worker of a browser replaces nothing.
    if (worker !== null && navigator.serviceWorker.controller !== null) showNotice(worker);
  };
  tell(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => (worker.state === "installed" ? tell(worker) : undefined));
  });
}

function showNotice(worker: ServiceWorker): void {
  document.getElementById("new-version")?.remove();
  const notice = document.createElement("div");
  notice.id = "new-version";
  notice.role = "status";
  notice.className =
    "fixed bottom-3 left-3 z-50 flex items-center gap-3 rounded-dock border border-line bg-raised py-2 pr-2 pl-4 text-ui text-fg shadow-overlay";
  notice.append(
    t.newVersion,
    button(t.reload, () => takeOver(worker)),
    button(t.later, () => notice.remove()),
  );
  document.body.append(notice);
}

function button(label: string, act: () => void): HTMLButtonElement {
  const element = document.createElement("button");
  element.type = "button";
  element.className = buttonClass("secondary", "sm");
  element.textContent = label;
  element.addEventListener("click", act);
  return element;
}

function takeOver(worker: ServiceWorker): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  worker.postMessage("take-over", { transfer: [] });
}
