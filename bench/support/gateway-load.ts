/** Asks a gateway, once or as many at once as wanted. Plain sockets that are kept: what is measured is the gateway. */
import http from "node:http";
import { performance } from "node:perf_hooks";

export interface Side {
  name: string;
  url: string;
  headers: Record<string, string>;
  /** Processes whose cost is the gateway's. */
  pids: number[];
}

export interface Order {
  tokens: number;
  paceMs: number;
  isStream: boolean;
}

export interface Answer {
  firstMs: number;
  totalMs: number;
  isWhole: boolean;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 512 });
/** The last of what was asked for: a stream that lacks it was cut. */
const lastWord = ({ tokens }: Order): string => ` word${tokens - 1}`;

export function ask(side: Side, order: Order): Promise<Answer> {
  const content = `tokens=${order.tokens} pace=${order.paceMs}`;
  const body = JSON.stringify({
    model: "claude-haiku-4-5",
    max_tokens: 4_096,
    stream: order.isStream,
    messages: [{ role: "user", content }],
  });
  const headers = { ...side.headers, "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let firstMs = 0;
    let text = "";
    const request = http.request(side.url, { method: "POST", agent, headers }, (response) => {
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        if (firstMs === 0) firstMs = performance.now() - startedAt;
        text += piece;
      });
      response.on("end", () => {
        const isWhole = response.statusCode === 200 && text.includes(lastWord(order));
        resolve({ firstMs, totalMs: performance.now() - startedAt, isWhole });
      });
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

export interface Load {
  streams: number;
  tokens: number;
  failed: number;
  seconds: number;
}

/** As many at once, each followed by the next, until the time is over; what is under way then still ends and counts. */
export async function streamsFor(side: Side, forMs: number, atOnce: number, order: Order): Promise<Load> {
  const startedAt = performance.now();
  let streams = 0;
  let failed = 0;
  const one = async (): Promise<void> => {
    while (performance.now() - startedAt < forMs) {
      const isWhole = await ask(side, order).then(
        (answer) => answer.isWhole,
        () => false,
      );
      if (isWhole) streams += 1;
      else failed += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return { streams, tokens: streams * order.tokens, failed, seconds: (performance.now() - startedAt) / 1_000 };
}
