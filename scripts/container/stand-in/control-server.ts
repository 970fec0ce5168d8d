/**
 * Stand-in for the control server of Cloudflare's base image (0.12), for tests on computers that cannot pull it: port 3000
 * with what `@cloudflare/sandbox` 0.12.10 asks for at a start (an answer, a version, the RPC session), the image's command as
 * its child, and the original's ways of ending. It runs no commands: the platform asks for none.
 */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { newWebSocketRpcSession, RpcTarget } from "capnweb";
import { WebSocketServer } from "ws";

const PORT = 3_000;
const VERSION = "0.12.10";
const CERTIFICATE = "/etc/cloudflare/certs/cloudflare-containers-ca.crt";
const CERTIFICATE_WAIT_MS = 5_000;
const SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt";
const CERTIFICATE_VARIABLES = ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"];

class Utilities extends RpcTarget {
  getVersion(): string {
    return VERSION;
  }
  ping(): string {
    return "pong";
  }
}

class Control extends RpcTarget {
  readonly #utilities = new Utilities();
  get utils(): Utilities {
    return this.#utilities;
  }
}

/** Like the original: an intercepted network without its authority is no place to start in. */
async function certificateEnvironment(): Promise<Record<string, string>> {
  if (process.env["SANDBOX_INTERCEPT_HTTPS"] !== "1") return {};
  for (let waitedMs = 0; !existsSync(CERTIFICATE); waitedMs += 100) {
    if (waitedMs >= CERTIFICATE_WAIT_MS) throw new Error(`${CERTIFICATE} did not arrive`);
    await wait(100);
  }
  appendFileSync(SYSTEM_BUNDLE, readFileSync(CERTIFICATE));
  return { NODE_EXTRA_CA_CERTS: CERTIFICATE, ...Object.fromEntries(CERTIFICATE_VARIABLES.map((name) => [name, SYSTEM_BUNDLE])) };
}

function listen(): void {
  const server = createServer((request, response) => {
    const isVersion = request.url === "/api/version";
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(isVersion ? { success: true, version: VERSION } : { success: true, message: "pong" }));
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (opened) => {
      // The library names the browser's socket; it uses what both have.
      newWebSocketRpcSession(opened as unknown as WebSocket, new Control());
    });
  });
  server.listen(PORT, "0.0.0.0");
}

function runCommand(command: string[], certificates: Record<string, string>): void {
  const [program, ...args] = command;
  if (program === undefined) return;
  const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...certificates } });
  child.once("error", () => process.exit(127));
  // 0 leaves the container standing; anything else ends it.
  child.once("exit", (code) => {
    if (code !== 0) process.exit(code ?? 1);
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => {
      // The original does not wait for its child either.
      child.kill(signal);
      process.exit(0);
    });
}

const certificates = await certificateEnvironment();
listen();
runCommand(process.argv.slice(2), certificates);
