/**
 * Sends frames of one session, signed where its machine asks for that. Frames that need a signature go out in the order in which
 * they were made. A browser without a key sends unsigned: whether that counts, the machine decides, and says. What signs is
 * loaded only then.
 */
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type { Command, CommandSignature } from "@ai-dev-platform/protocol/signing";
import type { ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import { commandOf } from "./command-of.ts";
import type { SignFor } from "./sign.ts";

export type SignCommand = (to: SignFor, command: Command) => Promise<CommandSignature | null>;
type SigningState = Pick<SessionState, "needsSignature" | "machineId" | "host" | "queue">;

export interface FrameSignerPorts {
  sessionId: string;
  /** As the newest word of the session has it. */
  state(): SigningState | null;
  /** Null: a visitor by a share, whose frames nobody's machine has a key for. */
  userId(): string | null;
  isOpen(): boolean;
  send(frame: ViewerFrame): boolean;
  /** Loads what signs. */
  load(): Promise<{ signCommand: SignCommand }>;
}

export class FrameSigner {
  readonly #ports: FrameSignerPorts;
  #before: Promise<unknown> = Promise.resolve();

  constructor(ports: FrameSignerPorts) {
    this.#ports = ports;
  }

  /** False: there is no connection now, and nothing was or will be sent. */
  send(frame: ViewerFrame): boolean {
    const { state, isOpen, send } = this.#ports;
    const now = state();
    const command = now?.needsSignature === true ? commandOf(frame, now.queue) : null;
    if (command === null) return send(frame);
    if (!isOpen()) return false;
    // Lost on the way, it is sent again by whoever waits for its answer.
    this.#before = this.#before.then(async () => {
      const signature = await this.sign(command);
      send(signature === null ? frame : withSignature(frame, signature));
    });
    return true;
  }

  /** Null: nothing here needs a signature, or this browser has no key. */
  async sign(command: Command): Promise<CommandSignature | null> {
    const { sessionId, load } = this.#ports;
    const [state, userId] = [this.#ports.state(), this.#ports.userId()];
    if (state === null || state.machineId === null || userId === null) return null;
    try {
      const { signCommand } = await load();
      return await signCommand({ userId, sessionId, machineId: state.machineId, incarnation: state.host.incarnation }, command);
    } catch {
      return null;
    }
  }
}

function withSignature(frame: ViewerFrame, signature: CommandSignature): ViewerFrame {
  switch (frame.type) {
    case "prompt":
    case "prompt_edit":
    case "answer":
    case "set_mode":
    case "set_model":
      return { ...frame, signature };
    default:
      return frame;
  }
}
