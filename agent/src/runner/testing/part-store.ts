/** Storage for parts, for tests: as the server offers it to a runner, ranges included. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export class PartStore {
  readonly parts = new Map<string, Buffer>();
  /** Requests for parts, as `GET <range>` or `PUT`. */
  readonly asked: string[] = [];
  /** The most that were open at once. */
  busiest = 0;
  /** How long an answer to a GET takes. */
  delayMs = 0;
  /** Whether it says nothing of a whole part beside a range. */
  isSilent = false;
  #open = 0;
  readonly #server: Server = createServer((request, response) => this.#onRequest(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** The stored part of a snapshot. */
  nameOf(snapshotId: string, part = 0): string {
    return [...this.parts.keys()].find((name) => name.endsWith(`${snapshotId}/${part}`)) ?? "";
  }

  /** Changes one byte. */
  damage(snapshotId: string, at: number): void {
    const name = this.nameOf(snapshotId);
    this.parts.set(name, Buffer.from((this.parts.get(name) ?? Buffer.alloc(0)).map((byte, index) => (index === at ? byte ^ 1 : byte))));
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      this.#open += 1;
      this.busiest = Math.max(this.busiest, this.#open);
      response.on("close", () => (this.#open -= 1));
      const name = request.url ?? "";
      this.asked.push(request.method === "PUT" ? "PUT" : `GET ${request.headers.range ?? "all"}`);
      if (request.method === "PUT") {
        this.parts.set(name, Buffer.concat(chunks));
        return void response.writeHead(201).end();
      }
      setTimeout(() => this.#send(name, request.headers.range, response), this.delayMs);
    });
  }

  #send(name: string, range: string | undefined, response: ServerResponse): void {
    const part = this.parts.get(name);
    if (part === undefined) return void response.writeHead(404).end();
    const sha256: Record<string, string> = this.isSilent ? {} : { "x-part-sha256": createHash("sha256").update(part).digest("hex") };
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
    if (first === undefined || last === undefined) return void response.writeHead(200, sha256).end(part);
    const to = Math.min(Number(last) + 1, part.length);
    const headers = { ...sha256, "content-range": `bytes ${first}-${to - 1}/${part.length}` };
    response.writeHead(206, headers).end(part.subarray(Number(first), to));
  }
}
