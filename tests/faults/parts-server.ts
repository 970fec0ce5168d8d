/** The session's side of saving, on loopback and in memory: parts by name, and a head that moves by the session's rule. */
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import { allParts, snapshotRefSchema, type InheritedPart, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";

export type TreeList = [string, string][];

interface Answer {
  status: number;
  body: string | Buffer;
  /** `content-range` */
  range?: string;
}

export class PartsServer {
  readonly parts = new Map<string, Buffer>();
  /** Committed, newest first, with the tree that each was made from. */
  readonly heads: { snapshot: SnapshotRef; tree: TreeList }[] = [];
  readonly notes: { path: string; body: unknown }[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { status, body, range = "" } = this.#answer(request.method ?? "", request.url ?? "", Buffer.concat(chunks), request.headers);
        response.writeHead(status, range === "" ? {} : { "content-range": range }).end(body);
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(method: string, url: string, body: Buffer, headers: NodeJS.Dict<string | string[]>): Answer {
    if (method === "POST") return { status: 200, body: JSON.stringify(this.#post(url, JSON.parse(body.toString("utf8")))) };
    const name = url.split("/").slice(-2).join("/");
    if (method === "PUT") {
      const isWhole = createHash("sha256").update(body).digest("hex") === headers["x-part-sha256"];
      if (!isWhole) return { status: 400, body: "" };
      if (this.parts.has(name)) return { status: 200, body: "" };
      this.parts.set(name, body);
      return { status: 201, body: "" };
    }
    const part = this.parts.get(name);
    if (part === undefined) return { status: 404, body: "" };
    const range = /^bytes=(\d+)-(\d+)$/.exec(typeof headers["range"] === "string" ? headers["range"] : "");
    if (range === null) return { status: 200, body: part };
    const [from, to] = [Number(range[1]), Number(range[2])];
    return { status: 206, body: part.subarray(from, to + 1), range: `bytes ${from}-${to}/${part.length}` };
  }

  #post(path: string, body: unknown): unknown {
    this.notes.push({ path, body });
    if (path === "/offer") return this.heads.slice(0, 3).map(({ snapshot }) => snapshot);
    return path === "/commit" ? this.#commit(body as { snapshot: unknown; tree: TreeList }) : {};
  }

  #commit({ snapshot: sent, tree }: { snapshot: unknown; tree: TreeList }): unknown {
    const snapshot = snapshotRefSchema.parse(sent);
    const head = this.heads[0]?.snapshot ?? null;
    if (snapshot.parentId !== (head?.snapshotId ?? null)) return { ok: false, code: "snapshot_conflict" };
    const known = new Set(head === null ? [] : allParts(head).map(nameOf));
    const isWhole = allParts(snapshot).every((part) => this.#holds(part));
    const isOwn = snapshot.inherited.every((part) => known.has(nameOf(part)));
    if (!isWhole || !isOwn) return { ok: false, code: "snapshot_damaged" };
    this.heads.unshift({ snapshot, tree });
    return { ok: true };
  }

  #holds(part: InheritedPart): boolean {
    return this.parts.get(nameOf(part))?.length === part.bytes;
  }
}

const nameOf = ({ snapshotId, part }: InheritedPart): string => `${snapshotId}/${part}`;
