/** A viewer's raw socket for tests of the door: what was received, how it was closed. */
import type { SessionFrame } from "@ai-dev-platform/protocol/viewer";
import { PROTOCOL_VERSION, VIEWER_SUBPROTOCOL } from "@ai-dev-platform/protocol/version";
import { fetchApp, ORIGIN } from "./app-client.ts";

/** Ample, for a busy computer; a test that passes never waits it out. */
const UNTIL_TIMEOUT_MS = 15_000;

/** Asks for a session's socket with these headers over the ones that a browser would send. Null removes one. */
export function requestSocket(sessionId: string, ticket: string | null, over: Record<string, string | null> = {}): Promise<Response> {
  const headers = new Headers({ upgrade: "websocket", origin: ORIGIN });
  headers.set("sec-websocket-protocol", ticket === null ? VIEWER_SUBPROTOCOL : `${VIEWER_SUBPROTOCOL}, ticket.${ticket}`);
  for (const [name, value] of Object.entries(over)) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  return fetchApp(`/api/sessions/${sessionId}/socket`, { headers });
}

export class RawViewer {
  readonly frames: SessionFrame[] = [];
  closed: { code: number } | null = null;
  readonly #socket: WebSocket;
  #changed: (() => void)[] = [];

  constructor(response: Response) {
    const socket = response.webSocket;
    if (socket === null) throw new Error(`no socket: ${response.status}`);
    this.#socket = socket;
    socket.addEventListener("message", (event) => {
      this.frames.push(JSON.parse(String(event.data)));
      this.#notify();
    });
    socket.addEventListener("close", (event) => {
      this.closed = { code: event.code };
      this.#notify();
    });
    socket.accept();
  }

  send(frame: object): void {
    this.#socket.send(JSON.stringify(frame));
  }

  /** Says hello; resolves with the welcome, or null when the session closed the socket. */
  async hello(): Promise<Extract<SessionFrame, { type: "welcome" }> | null> {
    // A refused ticket closes an accepted socket, possibly before this is sent.
    if (this.closed === null) this.send({ type: "hello", version: PROTOCOL_VERSION, afterSeq: null });
    await this.until(() => this.closed !== null || this.frames.some((frame) => frame.type === "welcome"));
    return this.frames.find((frame) => frame.type === "welcome") ?? null;
  }

  async until(isReached: () => boolean): Promise<void> {
    const deadline = Date.now() + UNTIL_TIMEOUT_MS;
    while (!isReached()) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`not reached; frames: ${JSON.stringify(this.frames)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#changed.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  close(): void {
    this.#socket.close(1000);
  }

  #notify(): void {
    for (const wake of this.#changed.splice(0)) wake();
  }
}
