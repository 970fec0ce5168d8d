/**
 * Stand-in for the network sidecar that the local runtime puts beside each container, whose network the container shares.
 * Ingress only: it opens tunnels to the container's ports. It intercepts nothing that goes out and denies nothing.
 */
import { createServer, type IncomingMessage } from "node:http";
import net from "node:net";
import type { Duplex } from "node:stream";

const PORT = 39_001;
const EMPTY_CERTIFICATE = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";

const server = createServer((request, response) => {
  if (request.method === "PUT" && request.url === "/egress") {
    request.resume().on("end", () => response.end("{}"));
    return;
  }
  if (request.url !== "/ca") response.statusCode = 404;
  response.end(request.url === "/ca" ? EMPTY_CERTIFICATE : "");
});

function tunnel(request: IncomingMessage, client: Duplex, head: Buffer): void {
  const wanted = request.headers["x-dst-addr"] ?? request.url ?? "";
  const port = Number(String(wanted).split(":").at(-1));
  const inner = net.connect(port, "127.0.0.1");
  inner.once("connect", () => {
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    if (head.length > 0) inner.write(head);
    inner.pipe(client);
    client.pipe(inner);
  });
  inner.once("error", () => client.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"));
  client.on("error", () => inner.destroy());
}

server.on("connect", tunnel);
server.listen(PORT, "0.0.0.0");
