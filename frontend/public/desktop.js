// Signs the person of this computer in: the ticket comes in the part of the address that no server sees, and works once.
void (async () => {
  const ticket = location.hash.slice(1);
  history.replaceState(null, "", "/desktop");
  const response = await fetch("/api/auth/desktop", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ticket }),
  }).catch(() => null);
  // A window that was restored has an old ticket, and a sign-in that is good.
  const isSignedIn = response?.ok || (await fetch("/api/me").catch(() => null))?.ok;
  if (isSignedIn) location.replace("/");
  else document.getElementById("state").textContent = "This window cannot sign in any more. Close it, and open the app again.";
})();
