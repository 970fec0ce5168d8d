/**
 * A bare `ws` relay in a process of its own: what one sends, all others receive. With COALESCE_MS it joins text as a session
 * does: the first piece at once, what follows within the interval together.
 */
import { WebSocketServer } from "ws";

const COALESCE_MS = Number(process.env["COALESCE_MS"] ?? 0);

interface Piece {
  offset: number;
  text: string;
}

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });

server.on("connection", (publisher) => {
  let waiting: Piece | null = null;
  let timer: NodeJS.Timeout | null = null;
  const tell = (text: string): void => {
    for (const client of server.clients) if (client !== publisher) client.send(text);
  };
  const flush = (): void => {
    timer = null;
    if (waiting === null) return;
    const text = JSON.stringify(waiting);
    waiting = null;
    tell(text);
    timer = setTimeout(flush, COALESCE_MS);
  };
  publisher.on("message", (data: Buffer) => {
    const text = data.toString("utf8");
    if (COALESCE_MS === 0) return tell(text);
    const piece = JSON.parse(text) as Piece;
    waiting = waiting === null ? piece : { ...waiting, text: waiting.text + piece.text };
    if (timer === null) flush();
  });
});

server.on("listening", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) process.send?.(address.port);
});
process.on("disconnect", () => process.exit(0));
