/** The command as people start it: a real process, against a server that only welcomes. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocketServer, type VerifyClientCallbackSync } from "ws";

const MAIN = path.join(import.meta.dirname, "..", "main.ts");
const TIMEOUT_MS = 30_000;

let scratch: string;
let server: WebSocketServer;
let address: string;
let welcome: Record<string, unknown>;
let hellos: { machineId: string; allowsPaths: boolean }[];
let children: ChildProcess[];

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "connect-"));
  await writeFile(path.join(scratch, "token"), "the-token\n");
  hellos = [];
  welcome = {};
  children = [];
  server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    verifyClient: ((info) => info.req.headers.authorization === "Bearer the-token") satisfies VerifyClientCallbackSync,
  });
  server.on("connection", (socket) => {
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data));
      if (frame.type !== "hello") return;
      hellos.push(frame);
      socket.send(JSON.stringify({ type: "welcome", version: 1, ...welcome }));
    });
  });
  await once(server, "listening");
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const client of server.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
  await rm(scratch, { recursive: true, force: true });
});

function run(...words: string[]) {
  const child = spawn(process.execPath, [MAIN, "connect", "--server", address, "--data", path.join(scratch, "data"), ...words]);
  children.push(child);
  let output = "";
  const said = Promise.withResolvers<void>();
  const hear = (chunk: Buffer): void => {
    output += chunk.toString();
    if (output.includes("Connected as")) said.resolve();
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const ended = once(child, "close").then(([code]) => ({ code: Number(code), output }));
  return { child, ended, connected: Promise.race([said.promise, ended]) };
}

describe("ai-dev-agent connect", { timeout: TIMEOUT_MS }, () => {
  it("connects, keeps its id, lets nobody else use its folder, and ends in order", async () => {
    const first = run("--token-file", path.join(scratch, "token"), "--name", "here");
    await first.connected;
    const second = await run("--token-file", path.join(scratch, "token")).ended;
    expect(second).toMatchObject({ code: 1, output: expect.stringContaining(`Process ${first.child.pid} uses`) });
    first.child.kill("SIGTERM");
    expect(await first.ended).toMatchObject({ code: 0 });
    const third = run("--token-file", path.join(scratch, "token"));
    await third.connected;
    expect(hellos).toHaveLength(2);
    expect(hellos[1]?.machineId).toBe(hellos[0]?.machineId);
    expect(hellos[0]?.allowsPaths).toBe(true);
  });

  it("takes over the folder of a machine that was killed", async () => {
    const first = run("--token-file", path.join(scratch, "token"));
    await first.connected;
    first.child.kill("SIGKILL");
    await first.ended;
    await run("--token-file", path.join(scratch, "token")).connected;
    expect(hellos).toHaveLength(2);
  });

  it("says what to do about a token that is refused or missing, and never shows it", async () => {
    await writeFile(path.join(scratch, "token"), "another-token");
    const refused = await run("--token-file", path.join(scratch, "token")).ended;
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining("refused the machine token") });
    expect(refused.output).not.toContain("another-token");
    expect(await run().ended).toMatchObject({ code: 3, output: expect.stringContaining("ai-dev-agent login --server") });
  });

  it("[MA8] stops when another took its place, and is not started again by a service for it", async () => {
    const first = run("--token-file", path.join(scratch, "token"));
    await first.connected;
    for (const client of server.clients) client.close(CLOSE.fenced);
    expect(await first.ended).toMatchObject({ code: 1, output: expect.stringContaining("its data folder was copied") });
    process.env["XPC_SERVICE_NAME"] = "dev.ai-dev-platform.agent";
    const service = run("--token-file", path.join(scratch, "token"));
    delete process.env["XPC_SERVICE_NAME"];
    await service.connected;
    for (const client of server.clients) client.close(CLOSE.fenced);
    expect(await service.ended).toMatchObject({ code: 0, output: expect.stringContaining("its data folder was copied") });
  });

  it("says that the server has a newer release, and that another was connected as this machine", async () => {
    welcome = { serverVersion: "99.0.0", replaced: { name: "old laptop", connectedAt: 0 } };
    const { child, ended, connected } = run("--token-file", path.join(scratch, "token"));
    await connected;
    child.kill("SIGTERM");
    const { output } = await ended;
    expect(output).toContain("@ai-dev-platform/agent@99.0.0");
    expect(output).toContain("old laptop");
  });
});
