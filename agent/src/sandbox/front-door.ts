/**
 * The one port that the platform looks at: an answer there means that the container is up. It answers and does nothing else.
 * It stands in the place of the base image's control server, which would run any command as root for whoever reaches it from
 * inside the container, the agent included.
 */
import { createServer } from "node:http";

/** Where the SDK expects its own server. */
export const FRONT_DOOR_PORT = 3_000;

/** Resolves with the port once it listens. */
export function openFrontDoor(port: number = FRONT_DOOR_PORT): Promise<{ port: number; close(): void }> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/plain", connection: "close" });
    response.end("up\n");
  });
  // Without a listener Node would leave the socket open.
  server.on("upgrade", (_request, socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "0.0.0.0", () => {
      const address = server.address();
      resolve({ port: typeof address === "object" && address !== null ? address.port : port, close: () => server.close() });
    });
  });
}
