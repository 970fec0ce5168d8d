// Shown in place of a page that could not be fetched, under that page's own address: a reload is the way back.
const RETRY_MS = 15_000;
const retry = () => location.reload();
document.getElementById("retry")?.addEventListener("click", retry);
addEventListener("online", retry);
// A server that is down sends no such event. Asked only while somebody may be looking.
setInterval(async () => {
  if (document.hidden) return;
  const response = await fetch("/api/config", { cache: "no-store" }).catch(() => null);
  if (response?.ok) retry();
}, RETRY_MS);
