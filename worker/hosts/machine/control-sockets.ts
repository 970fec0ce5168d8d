/**
 * The control sockets of one machine: accepting, the hello, and which of them counts. Hibernatable, so everything that
 * must outlive a sleep is in the attachment. Invariant: at most one socket has said hello and is open. SPEC PV1, PV2.
 */
import * as z from "zod";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { decodeFrame, encodeFrame } from "@ai-dev-platform/protocol/codec";
import { machineIdSchema } from "@ai-dev-platform/protocol/ids";
import { MAX_FRAME_BYTES, PING, PONG } from "@ai-dev-platform/protocol/limits";
import { machineFrameSchema, type MachineFrame, type MachineOrderFrame } from "@ai-dev-platform/protocol/machine";
import { judgeVersion } from "@ai-dev-platform/protocol/version";

const connectedSchema = z.object({ name: z.string(), capacity: z.number(), allowsPaths: z.boolean(), helloAt: z.number() });
const attachmentSchema = z.object({
  machineId: machineIdSchema,
  /** Whose own machine it is; null: the operator's. */
  ownerId: z.string().nullable().default(null),
  /** Which process dialled; empty: it did not say. */
  process: z.string().default(""),
  connected: connectedSchema.nullable(),
});
export type Connected = z.infer<typeof connectedSchema>;
type Attachment = z.infer<typeof attachmentSchema>;
type Hello = Extract<MachineFrame, { type: "hello" }>;

export type Incoming =
  | { kind: "hello"; hello: Hello }
  | { kind: "frame"; frame: Exclude<MachineFrame, Hello> }
  | { kind: "refused"; code: number; reason: string };

/** Only what is needed to judge a peer of another version. */
const anyHelloSchema = z.object({ type: z.literal("hello"), version: z.int() });

const OWNER_HEADER = "x-machine-owner";
const MAX_PROCESS_CHARS = 64;

/** The request by which the route hands a socket over. Made anew: nothing that the caller sent comes along. */
export function controlRequest(machineId: string, ownerId: string | null, process = ""): Request {
  const headers = new Headers({ upgrade: "websocket" });
  if (ownerId !== null) headers.set(OWNER_HEADER, encodeURIComponent(ownerId));
  const query = new URLSearchParams({ machine: machineId, process }).toString();
  return new Request(`https://machine/control?${query}`, { headers });
}

export class ControlSockets {
  readonly #ctx: DurableObjectState;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  accept(request: Request): Response {
    const { searchParams } = new URL(request.url);
    const machineId = machineIdSchema.parse(searchParams.get("machine"));
    const owner = request.headers.get(OWNER_HEADER);
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    const process = (searchParams.get("process") ?? "").slice(0, MAX_PROCESS_CHARS);
    attach(server, { machineId, ownerId: owner === null ? null : decodeURIComponent(owner), process, connected: null });
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Reads one message in the light of what this socket said before. */
  read(socket: WebSocket, message: string | ArrayBuffer): Incoming {
    const { machineId, connected } = attachmentOf(socket);
    if (connected === null) {
      const opening = decodeFrame(anyHelloSchema, message, MAX_FRAME_BYTES);
      if (opening.ok && judgeVersion(opening.frame.version) !== "ok") {
        return { kind: "refused", code: CLOSE.incompatible, reason: "Update the program." };
      }
    }
    const decoded = decodeFrame(machineFrameSchema, message, MAX_FRAME_BYTES);
    if (!decoded.ok) return { kind: "refused", code: CLOSE.badFrame, reason: decoded.detail.slice(0, 100) };
    const { frame } = decoded;
    if ((frame.type === "hello") !== (connected === null)) {
      return { kind: "refused", code: CLOSE.badFrame, reason: "hello comes first, and once" };
    }
    if (frame.type !== "hello") return { kind: "frame", frame };
    if (frame.machineId !== machineId) return { kind: "refused", code: CLOSE.badFrame, reason: "another machine's id" };
    return { kind: "hello", hello: frame };
  }

  /**
   * Makes this the machine's socket; an older one is told to go and stay away. Returns who that was, if it was another
   * process: a second computer with a copy of the identity, not the same one that dialled again. SPEC MA8.
   */
  promote(socket: WebSocket, hello: Hello, now: number): { name: string; connectedAt: number } | null {
    const mine = attachmentOf(socket);
    let replaced: { name: string; connectedAt: number } | null = null;
    for (const other of this.#ctx.getWebSockets()) {
      const { connected, process } = attachmentOf(other);
      if (other === socket || connected === null) continue;
      const isOpen = other.readyState === WebSocket.READY_STATE_OPEN;
      if (isOpen && process !== mine.process) replaced = { name: connected.name, connectedAt: connected.helloAt };
      other.close(CLOSE.fenced, "replaced by a newer connection");
    }
    const { name, capacity, allowsPaths } = hello;
    attach(socket, { ...mine, connected: { name, capacity, allowsPaths, helloAt: now } });
    return replaced;
  }

  /** The machine's socket, if nothing came over it for so long that nobody can be there. */
  silent(silenceMs: number, now: number): WebSocket | null {
    const current = this.current();
    return current !== null && now - this.lastHeardAt(current) > silenceMs ? current.socket : null;
  }

  /** By its pings, which wake nobody. */
  lastHeardAt({ socket, connected }: { socket: WebSocket; connected: Connected }): number {
    return Math.max(this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0, connected.helloAt);
  }

  current(): { socket: WebSocket; machineId: string; ownerId: string | null; connected: Connected } | null {
    for (const socket of this.#ctx.getWebSockets()) {
      if (socket.readyState !== WebSocket.READY_STATE_OPEN) continue;
      const { machineId, ownerId, connected } = attachmentOf(socket);
      if (connected !== null) return { socket, machineId, ownerId, connected };
    }
    return null;
  }

  /** Closes every socket, also those that have not said hello. */
  closeAll(code: number, reason: string): void {
    for (const socket of this.#ctx.getWebSockets()) socket.close(code, reason);
  }

  /** False when no machine is there to hear it. */
  send(frame: MachineOrderFrame): boolean {
    const current = this.current();
    if (current === null) return false;
    current.socket.send(encodeFrame(frame));
    return true;
  }
}

/** Whose socket this is, and whether it ever said hello. */
export const attachmentOf = (socket: WebSocket): Attachment => attachmentSchema.parse(socket.deserializeAttachment());

const attach = (socket: WebSocket, attachment: Attachment): void => socket.serializeAttachment(attachment);
