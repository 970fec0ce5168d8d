/**
 * The way back from the browser (RFC 8252): one listener on 127.0.0.1, on a port of the system's choice, open only while a
 * sign-in waits. It takes one code with the right state and closes. SPEC MA4.
 */
import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { browserKeySchema, type BrowserKey } from "@ai-dev-platform/protocol/machine-login";

const CLOSE_GRACE_MS = 1_000;

/** `browserKey`: the approving browser's public key, handed over by its page and by nobody else (SPEC SG3). */
export type Came = { kind: "code"; code: string; browserKey: BrowserKey | null } | { kind: "denied" } | { kind: "timeout" };

export interface Loopback {
  port: number;
  /** Resolves once. Until `close`, a browser that asks again (a retry, a reload) gets the same page. */
  wait(timeoutMs: number): Promise<Came>;
  /** No listener is left. What is being answered is finished first, within a second. */
  close(): Promise<void>;
}

const page = (title: string, text: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>` +
  `<body style="font:16px system-ui;margin:20vh auto;max-width:28rem;padding:0 1rem"><main><h1 style="font-size:1.25rem">${title}</h1><p>${text}</p></main>`;

export async function listenForCode(state: string): Promise<Loopback> {
  let settle: (came: Came) => void = () => {};
  const came = new Promise<Came>((resolve) => (settle = resolve));
  let port = 0;
  const server = createServer((request, response) => {
    const answer = judgeCall(request, state, port);
    // Told when the browser's page has left this process.
    response.once("finish", () => (answer === null ? undefined : settle(answer)));
    reply(response, answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The listener has no port.");
  ({ port } = address);
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    // The browser keeps connections open for more. One that is cut in an answer makes it ask again, of nobody.
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    await closed;
    clearTimeout(timer);
  };
  return {
    port,
    wait: async (timeoutMs) => {
      const timer = setTimeout(() => settle({ kind: "timeout" }), timeoutMs);
      try {
        return await came;
      } finally {
        clearTimeout(timer);
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
  const target = `http://127.0.0.1${request.url ?? "/"}`;
  if (!URL.canParse(target)) return null;
  const { pathname, searchParams } = new URL(target);
  if (pathname !== "/" || !isSame(searchParams.get("state") ?? "", state)) return null;
  if (searchParams.get("error") !== null) return { kind: "denied" };
  const code = searchParams.get("code") ?? "";
  const key = browserKeySchema.safeParse({ publicKey: searchParams.get("key"), name: searchParams.get("key_name") });
  return /^[\w-]{43}$/.test(code) ? { kind: "code", code, browserKey: key.success ? key.data : null } : null;
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
