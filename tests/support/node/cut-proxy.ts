/** A TCP proxy that cuts: bad Wi-Fi between a computer and the server. */
import net from "node:net";

export interface CutProxy {
  url: string;
  /** Cuts every connection now; with a time, also refuses new ones for so long. */
  cut(downMs?: number): void;
  cuts(): number;
  close(): Promise<void>;
}

export async function startCutProxy(targetPort: number): Promise<CutProxy> {
  const open = new Set<net.Socket>();
  let count = 0;
  let downUntil = 0;
  const server = net.createServer((client) => {
    if (Date.now() < downUntil) return void client.resetAndDestroy();
    const far = net.connect(targetPort, "127.0.0.1");
    for (const socket of [client, far]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        far.destroy();
      });
    }
    client.pipe(far);
    far.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const cut = (downMs = 0): void => {
    downUntil = Date.now() + downMs;
    count += open.size > 0 ? 1 : 0;
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    cut,
    cuts: () => count,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}
