/**
 * Anthropic's Messages API as a gateway's bench needs it, in a process of its own: answers at once, by the shapes of the real one.
 * How an answer comes stands in the prompt (`tokens=<n> pace=<ms>`); at pace 0 all of a stream is written at once, else each
 * token in a piece of its own. Prints its address, and what is still streaming to a caller that is gone at GET /open.
 */
import http from "node:http";

const event = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
let open = 0;

interface Asked {
  model: string;
  stream?: boolean;
  system?: unknown;
  messages: { content: unknown }[];
}

/** Gateways translate metadata each in their own way; the words of the prompt reach the model with all of them. */
function orderOf({ messages }: Asked): { tokens: number; paceMs: number } {
  const found = /tokens=(\d+) pace=(\d+)/.exec(JSON.stringify(messages));
  return { tokens: Number(found?.[1] ?? 8), paceMs: Number(found?.[2] ?? 0) };
}

const head = (model: string): string =>
  event("message_start", {
    message: {
      id: "msg_bench",
      type: "message",
      role: "assistant",
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 10, output_tokens: 1 },
    },
  }) + event("content_block_start", { index: 0, content_block: { type: "text", text: "" } });

const token = (index: number): string => event("content_block_delta", { index: 0, delta: { type: "text_delta", text: ` word${index}` } });

const tail = (tokens: number): string =>
  event("content_block_stop", { index: 0 }) +
  event("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: tokens } }) +
  event("message_stop", {});

function streamTo(response: http.ServerResponse, model: string, tokens: number, paceMs: number): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  open += 1;
  let timer: NodeJS.Timeout | undefined;
  response.on("close", () => {
    open -= 1;
    clearInterval(timer);
  });
  const words = Array.from({ length: tokens }, (_, index) => token(index));
  if (paceMs === 0) return void response.end(head(model) + words.join("") + tail(tokens));
  response.write(head(model));
  let next = 0;
  timer = setInterval(() => {
    const word = words[next];
    next += 1;
    if (word !== undefined) return void response.write(word);
    clearInterval(timer);
    response.end(tail(tokens));
  }, paceMs);
}

function answer(response: http.ServerResponse, asked: Asked): void {
  const { tokens, paceMs } = orderOf(asked);
  if (asked.stream === true) return streamTo(response, asked.model, tokens, paceMs);
  const text = Array.from({ length: tokens }, (_, index) => ` word${index}`).join("");
  const body = {
    id: "msg_bench",
    type: "message",
    role: "assistant",
    model: asked.model,
    content: [{ type: "text", text }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: tokens },
  };
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

const models = {
  data: [{ type: "model", id: "claude-haiku-4-5", display_name: "Haiku", created_at: "2025-10-01T00:00:00Z" }],
  has_more: false,
};

const server = http.createServer((request, response) => {
  if (request.method === "GET") {
    response.setHeader("content-type", "application/json");
    return void response.end(JSON.stringify(request.url === "/open" ? { open } : models));
  }
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => answer(response, JSON.parse(Buffer.concat(pieces).toString()) as Asked));
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}\n`);
});
process.on("disconnect", () => process.exit(0));
