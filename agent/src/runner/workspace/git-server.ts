/**
 * The session's repository by way of the server, which adds the owner's stored login: this machine never has it. Good for
 * the session's own repository, and as long as the runner's incarnation. Pure.
 */

export interface GitServer {
  server: string;
  linkToken: string;
}

/** Git settings under which an https address goes by the server; null where there is no such way. */
export function viaServer(url: string, { server, linkToken }: GitServer): Record<string, string> | null {
  if (!url.startsWith("https://") || !linkToken.startsWith("adpl_")) return null;
  const base = `${server.replace(/\/+$/, "")}/git/`;
  return {
    [`url.${base}.insteadOf`]: "https://",
    [`http.${base}.extraHeader`]: `Authorization: Bearer ${linkToken}`,
    // A repository that moved is for its owner to name anew: the token goes nowhere else.
    "http.followRedirects": "false",
  };
}
