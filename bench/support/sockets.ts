/** Raw sockets that note when text arrives, the same for both sides of a comparison. */
import { performance } from "node:perf_hooks";
import { WebSocket } from "ws";

/** A piece of text is its own send time, in this many characters. */
export const PIECE_CHARS = 20;
export const timedPiece = (): string => performance.now().toFixed(6).padStart(PIECE_CHARS);

const NUMBERS = new RegExp(`.{${PIECE_CHARS}}`, "g");

export interface Receiver {
  socket: WebSocket;
  received: number;
}

/** Opens a socket and notes the age of every piece that arrives on it. */
export function openReceiver(url: string, protocols: string[], latencies: number[], hello: string | null): Promise<Receiver> {
  const socket = new WebSocket(url, protocols, { origin: `http://${new URL(url).host}`, perMessageDeflate: false });
  const receiver: Receiver = { socket, received: 0 };
  socket.on("message", (data: Buffer) => {
    const now = performance.now();
    const frame = JSON.parse(data.toString("utf8")) as { type?: string; text?: string };
    if (frame.type !== "live" || frame.text === undefined) return;
    receiver.received += frame.text.length / PIECE_CHARS;
    for (const sent of frame.text.match(NUMBERS) ?? []) latencies.push(now - Number(sent));
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("open", () => {
      if (hello === null) return resolve(receiver);
      // The welcome is the first frame.
      socket.once("message", () => resolve(receiver));
      socket.send(hello);
    });
  });
}
