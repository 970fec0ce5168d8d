/** What the session knows of one viewer's socket. Lives in the socket's attachment, so that it survives hibernation. */
import * as z from "zod";

export const VIEWER_TAG = "viewer";

const viewerMarkSchema = z.object({
  kind: z.literal("viewer"),
  grantId: z.string(),
  userId: z.string().nullable(),
  name: z.string(),
  /** `replaying`: entries after `cursor` are still owed. `live`: it has everything that is in the log. */
  phase: z.enum(["new", "replaying", "live"]),
  cursor: z.int(),
  sentBytes: z.int(),
  ackedBytes: z.int(),
  isLagging: z.boolean(),
  /** Queries on their way to the runner: our request id to the viewer's. */
  queries: z.record(z.string(), z.string()),
});
export type ViewerMark = z.infer<typeof viewerMarkSchema>;

/** Sent bytes that need not be in the attachment yet: at most this much credit is given away by an eviction. */
const UNSTORED_BYTES = 16_384;

/** A cache over attachments: reading one is a structured clone, and a busy session sends thousands of frames a second. */
export class ViewerMarks {
  readonly #marks = new WeakMap<WebSocket, ViewerMark>();
  readonly #stored = new WeakMap<WebSocket, number>();
  /** Sockets that are no viewer's: a runner's many frames ask too. */
  readonly #others = new WeakSet<WebSocket>();

  get(ws: WebSocket): ViewerMark | null {
    const known = this.#marks.get(ws);
    if (known !== undefined) return known;
    if (this.#others.has(ws)) return null;
    const parsed = viewerMarkSchema.safeParse(ws.deserializeAttachment());
    if (!parsed.success) {
      this.#others.add(ws);
      return null;
    }
    this.#marks.set(ws, parsed.data);
    this.#stored.set(ws, parsed.data.sentBytes);
    return parsed.data;
  }

  set(ws: WebSocket, mark: ViewerMark): void {
    this.#marks.set(ws, mark);
    this.#stored.set(ws, mark.sentBytes);
    ws.serializeAttachment(mark);
  }

  addSent(ws: WebSocket, mark: ViewerMark, bytes: number): void {
    mark.sentBytes += bytes;
    if (mark.sentBytes - (this.#stored.get(ws) ?? 0) >= UNSTORED_BYTES) this.set(ws, mark);
  }
}
