/**
 * Whether an idle session with an open socket sleeps on a running server. Each run of the session's object has a boot id, which
 * `welcome` names: the same before the rest, another one after it, on the same socket, means that the object was gone in between.
 * Pings go on during the rest and must neither wake nor hold it (SPEC HB1). A session that stays busy is the control.
 */
import { PING, PONG } from "@ai-dev-platform/protocol/limits";
import { PROTOCOL_VERSION, VIEWER_SUBPROTOCOL } from "@ai-dev-platform/protocol/version";
import { WebSocket } from "ws";
import { type Account, signUp } from "../tests/support/node/account.ts";
import { startDirectServer } from "./support/direct-server.ts";

/** The runtime lets an object go after ten seconds without an event. */
const REST_MS = 20_000;
const PING_INTERVAL_MS = 4_000;
const BUSY_INTERVAL_MS = 2_000;

// No model is ever called.
const server = await startDirectServer({ DEMO_MODEL_URL: "http://127.0.0.1:9" });

async function open(account: Account): Promise<WebSocket> {
  const { sessionId } = await account.createSession({ kind: "empty" }, { modelSource: "demo" });
  const { ticket } = await account.json<{ ticket: string }>("POST", `/api/sessions/${sessionId}/ticket`, {});
  const socket = new WebSocket(
    `${server.url.replace("http", "ws")}/api/sessions/${sessionId}/socket`,
    [VIEWER_SUBPROTOCOL, `ticket.${ticket}`],
    { origin: server.url },
  );
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return socket;
}

function bootId(socket: WebSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    const listen = (data: Buffer): void => {
      const text = data.toString("utf8");
      const frame = (text === PONG ? {} : JSON.parse(text)) as { type?: string; bootId?: string };
      if (frame.type !== "welcome") return;
      socket.off("message", listen);
      if (frame.bootId === undefined) reject(new Error("welcome names no boot id"));
      else resolve(frame.bootId);
    };
    socket.on("message", listen);
    socket.send(JSON.stringify({ type: "hello", version: PROTOCOL_VERSION, afterSeq: null }));
  });
}

const mara = await signUp(server.url);
const idle = await open(mara);
const busy = await open(mara);
const before = { idle: await bootId(idle), busy: await bootId(busy) };
const again = await bootId(idle);
let pongs = 0;
idle.on("message", (data: Buffer) => {
  if (data.toString("utf8") === PONG) pongs += 1;
});
const pings = setInterval(() => idle.send(PING), PING_INTERVAL_MS);
const work = setInterval(() => void bootId(busy), BUSY_INTERVAL_MS);
await new Promise((resolve) => setTimeout(resolve, REST_MS));
clearInterval(pings);
clearInterval(work);
const after = { idle: await bootId(idle), busy: await bootId(busy) };
const said = (isSame: boolean) => (isSame ? "the same object" : "a new object");
console.log(`idle session, two messages at once:                   ${said(before.idle === again)}`);
console.log(
  `idle session, after ${REST_MS / 1_000} s with ${pongs} answered pings:       ${said(before.idle === after.idle)} on the same socket`,
);
console.log(`busy session, after the same time:                    ${said(before.busy === after.busy)}`);
const isProven = before.idle === again && before.idle !== after.idle && before.busy === after.busy && pongs > 0;
console.log(isProven ? "an idle session with an open socket hibernates" : "NOT PROVEN");
await server.close();
process.exit(isProven ? 0 : 1);
