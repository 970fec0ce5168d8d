/** One request to the outside: redirects come back as they are, and a caller that goes away ends it. */
import type { EgressPorts } from "./ports.ts";

/** `host` is the name that was judged. Null: it could not be reached. Why is not told: the words name addresses. */
export async function send(
  request: Request,
  host: string,
  headers: Headers,
  body: BodyInit | null,
  ports: EgressPorts,
): Promise<Response | null> {
  const url = new URL(request.url);
  url.hostname = host;
  // A runtime that streams request bodies one way only wants this said; the others do not look at it.
  const init: RequestInit & { duplex: "half" } = {
    method: request.method,
    headers,
    body,
    redirect: "manual",
    signal: request.signal,
    duplex: "half",
  };
  try {
    return await ports.fetch(new Request(url, init));
  } catch {
    return null;
  }
}

/** Statuses that never have a body; the platform refuses to make one with an empty stream. */
const BODYLESS = new Set([204, 205, 304]);

/** The answer under other headers, its body as it comes. */
export function passOn(answer: Response, headers: Headers): Response {
  const { status, statusText } = answer;
  return new Response(BODYLESS.has(status) ? null : answer.body, { status, statusText, headers });
}
