/**
 * The way back from the browser (RFC 8252): one listener on 127.0.0.1, on a port of the system's choice, open only while a
 * sign-in waits. It takes one code with the right state and closes. SPEC MA4.
 */
import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Came = { kind: "code"; code: string } | { kind: "denied" } | { kind: "timeout" };

export interface Loopback {
  port: number;
  /** Resolves once; the listener is closed by then. */
  wait(timeoutMs: number): Promise<Came>;
  close(): Promise<void>;
}

const page = (title: string, text: string): string =>
  `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>` +
  `<body style="font:16px system-ui;margin:20vh auto;max-width:28rem;padding:0 1rem"><h1 style="font-size:1.25rem">${title}</h1><p>${text}</p>`;

export async function listenForCode(state: string): Promise<Loopback> {
  let settle: (came: Came) => void = () => {};
  const came = new Promise<Came>((resolve) => (settle = resolve));
  const server = createServer((request, response) => {
    const answer = judgeCall(request, state, port());
    // Told when the browser's page has left: the listener is closed right after.
    response.once("finish", () => (answer === null ? undefined : settle(answer)));
    reply(response, answer);
  });
  const port = (): number => (server.address() as AddressInfo | null)?.port ?? 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const listening = port();
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    // The browser keeps its connection open for more.
    server.closeAllConnections();
    await closed;
  };
  return {
    port: listening,
    wait: async (timeoutMs) => {
      const timer = setTimeout(() => settle({ kind: "timeout" }), timeoutMs);
      try {
        return await came;
      } finally {
        clearTimeout(timer);
        await close();
      }
    },
    close,
  };
}

/** Null: not the answer that is waited for. */
export function judgeCall(
  request: Pick<IncomingMessage, "method" | "url" | "headers">,
  state: string,
  port: number,
): Exclude<Came, { kind: "timeout" }> | null {
  // Another site's name that leads here is not us.
  if (request.method !== "GET" || request.headers.host !== `127.0.0.1:${port}`) return null;
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
  if (pathname !== "/" || !isSame(searchParams.get("state") ?? "", state)) return null;
  if (searchParams.get("error") !== null) return { kind: "denied" };
  const code = searchParams.get("code") ?? "";
  return /^[\w-]{43}$/.test(code) ? { kind: "code", code } : null;
}

const isSame = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

function reply(response: ServerResponse, came: Came | null): void {
  const [status, title, text] =
    came === null
      ? ([404, "Nothing here", "This address is for a sign-in that waits on this computer."] as const)
      : came.kind === "code"
        ? ([200, "Signed in", "You can close this page and go back to the terminal."] as const)
        : ([200, "Declined", "Nothing was given to this computer. You can close this page."] as const);
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    connection: "close",
  });
  response.end(page(title, text));
}
