import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { machineFrameSchema, type MachineFrame, type MachineOrderFrame } from "@ai-dev-platform/protocol/machine";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocketServer, type VerifyClientCallbackAsync, type WebSocket } from "ws";
import { startOf } from "../runner/process-group.ts";
import { startMachine, type Machine } from "./machine.ts";

const id = (prefix: string, letter: string): string => `${prefix}_${letter.repeat(26)}`;
const SESSION = id("ses", "a");
const MACHINE = id("mch", "m");

/** A runner that leaves a command in a group of its own, like an agent's shell does, and says what it was given. */
const RUNNER = `
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
const config = JSON.parse(readFileSync(0, "utf8"));
const shell = spawn("sh", ["-c", "sleep 1000 & sleep 1000"], { detached: true, stdio: "ignore" });
const agent = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
const start = readFileSync("/proc/" + agent.pid + "/stat", "utf8").split(") ")[1].split(" ")[19];
writeFileSync(config.stateDir + "/agent.pid", agent.pid + "\\n" + start + "\\n");
console.log("the key is sk-ant-api03-very-secret");
writeFileSync(config.stateDir + "/told.json", JSON.stringify({ config, env: process.env, shell: shell.pid, agent: agent.pid, pid: process.pid }));
if (config.order.linkToken === "exit") process.exit(7);
setInterval(() => {}, 1000);
`;

interface Told {
  config: { server: string; machineName: string; order: { incarnation: number } };
  env: Record<string, string>;
  shell: number;
  agent: number;
  pid: number;
}

/** The server's side of a control socket. */
class Server {
  readonly frames: MachineFrame[] = [];
  readonly dials: { url: string; authorization: string }[] = [];
  socket: WebSocket | null = null;
  /** HTTP status for dials, instead of a socket. */
  refuseWith = 0;
  #server: WebSocketServer | null = null;
  #changed = Promise.withResolvers<void>();

  async listen(port = 0): Promise<number> {
    this.#server = new WebSocketServer({
      port,
      host: "127.0.0.1",
      verifyClient: ((info, done) => {
        this.dials.push({ url: info.req.url ?? "", authorization: String(info.req.headers["authorization"]) });
        done(this.refuseWith === 0, this.refuseWith);
        this.#notify();
      }) satisfies VerifyClientCallbackAsync,
    });
    this.#server.on("connection", (socket) => {
      this.socket = socket;
      socket.on("message", (data) => {
        const text = String(data);
        if (text === "ping") return socket.send("pong");
        const frame = machineFrameSchema.parse(JSON.parse(text));
        this.frames.push(frame);
        if (frame.type === "hello") this.send({ type: "welcome", version: 1 });
        this.#notify();
      });
    });
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  send(frame: MachineOrderFrame): void {
    this.socket?.send(JSON.stringify(frame));
  }

  /** Waits for a condition on what has arrived. */
  async until<T>(find: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      await this.#changed.promise;
    }
  }

  reply(requestId: string) {
    return this.until(() => this.frames.find((frame) => frame.type === "reply" && frame.requestId === requestId));
  }

  async close(): Promise<void> {
    for (const client of this.#server?.clients ?? []) client.terminate();
    await new Promise<void>((resolve) => void (this.#server === null ? resolve() : this.#server.close(() => resolve())));
  }
}

let scratch: string;
let server: Server;
let port: number;
let machines: Machine[];

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "machine-"));
  await writeFile(path.join(scratch, "runner.mjs"), RUNNER);
  server = new Server();
  port = await server.listen();
  machines = [];
});

afterEach(async () => {
  for (const machine of machines) machine.close();
  await server.close();
  await import("./process-table.ts").then(async ({ killFamily }) => {
    for (const told of await allTold()) await killFamily([told.pid, told.agent, told.shell]);
  });
  await rm(scratch, { recursive: true, force: true });
});

async function allTold(): Promise<Told[]> {
  const file = path.join(scratch, "data", "sessions", SESSION, "told.json");
  return existsSync(file) ? [JSON.parse(await readFile(file, "utf8"))] : [];
}

async function connect(over: { capacity?: number; pingIntervalMs?: number } = {}): Promise<{ over: Promise<string> }> {
  const end = Promise.withResolvers<string>();
  const before = server.frames.length;
  machines.push(
    await startMachine({
      server: `http://127.0.0.1:${port}`,
      token: "machine-token",
      machineId: MACHINE,
      name: "test machine",
      dataDir: path.join(scratch, "data"),
      capacity: over.capacity ?? 2,
      allowedPaths: ["/projects"],
      onWelcome: () => {},
      onOver: end.resolve,
      log: () => {},
      command: [process.execPath, path.join(scratch, "runner.mjs")],
      ...(over.pingIntervalMs === undefined ? {} : { pingIntervalMs: over.pingIntervalMs }),
    }),
  );
  await Promise.race([server.until(() => server.frames.slice(before).find((frame) => frame.type === "hello")), end.promise]);
  return { over: end.promise };
}

let requests = 0;
const request = (): string => id("req", "0123456789abcdefghjkmnpqrstvwxyz"[requests++ % 32] ?? "0");

async function start(incarnation: number, sessionId = SESSION, linkToken = "link") {
  const requestId = request();
  server.send({ type: "start", requestId, order: { sessionId, incarnation, linkToken, modelToken: "model", source: { kind: "empty" } } });
  return server.reply(requestId);
}

async function kill(incarnation: number) {
  const requestId = request();
  server.send({ type: "kill", requestId, sessionId: SESSION, incarnation });
  return server.reply(requestId);
}

/** What the runner wrote once it was up. */
async function told(incarnation: number): Promise<Told> {
  for (;;) {
    const found = (await allTold().catch(() => [])).find((each) => each.config.order.incarnation === incarnation);
    if (found !== undefined) return found;
    await wait(10);
  }
}

const alive = (...pids: number[]): number[] => pids.filter((pid) => startOf(pid) !== null);

describe("a machine", () => {
  it("says who it is, with its token in the header only", async () => {
    await connect();
    expect(server.dials).toEqual([
      {
        url: expect.stringMatching(`^/machine/control\\?machine=${MACHINE}&process=[\\da-f-]{36}$`),
        authorization: "Bearer machine-token",
      },
    ]);
    expect(server.frames[0]).toMatchObject({
      type: "hello",
      machineId: MACHINE,
      name: "test machine",
      capacity: 2,
      running: [],
      allowsPaths: true,
    });
  });

  it("starts a runner with its order on standard input and nothing of our environment", async () => {
    process.env["ANTHROPIC_API_KEY"] = "the owner's own";
    await connect();
    expect(await start(1)).toMatchObject({ ok: true });
    delete process.env["ANTHROPIC_API_KEY"];
    const { config, env } = await told(1);
    expect(config).toMatchObject({ server: `http://127.0.0.1:${port}`, machineName: "test machine", order: { incarnation: 1 } });
    expect(JSON.stringify(env)).not.toMatch(/the owner's own|"link"|machine-token/);
    expect(env).toMatchObject({ AI_DEV_AGENT_ALLOWED_PATHS: "/projects" });
  });

  it("[MA1] never runs two runners for one session", async () => {
    await connect();
    await start(1);
    const first = await told(1);
    expect(await start(1)).toMatchObject({ ok: true });
    expect(await start(2)).toMatchObject({ ok: true });
    expect(alive(first.pid, first.agent, first.shell)).toEqual([]);
    await told(2);
    expect(await start(1)).toMatchObject({ ok: false, code: "runner_fenced" });
  });

  it("[MA2] answers a kill when the runner and everything it started are gone", async () => {
    await connect();
    await start(1);
    const { pid, shell, agent } = await told(1);
    expect(alive(pid, shell, agent)).toHaveLength(3);
    expect(await kill(1)).toMatchObject({ ok: true });
    expect(alive(pid, shell, agent)).toEqual([]);
    await server.until(() => server.frames.find((frame) => frame.type === "runner_exited" && frame.signal === "SIGKILL"));
  });

  it("[MA2] does not kill a newer runner than the one named", async () => {
    await connect();
    await start(2);
    const { pid } = await told(2);
    expect(await kill(1)).toMatchObject({ ok: true });
    expect(alive(pid)).toEqual([pid]);
  });

  it("[MA3] finds its runners again after it was itself restarted, and names them", async () => {
    await connect();
    await start(3);
    const { pid, agent, shell } = await told(3);
    machines.pop()?.close();
    await connect();
    expect(server.frames.findLast((frame) => frame.type === "hello")).toMatchObject({ running: [{ sessionId: SESSION, incarnation: 3 }] });
    expect(await kill(3)).toMatchObject({ ok: true });
    expect(alive(pid, agent, shell)).toEqual([]);
  });

  it("does not take a process with a reused number for its runner", async () => {
    await connect();
    await start(1);
    const { pid, agent, shell } = await told(1);
    machines.pop()?.close();
    const bystander = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
    const file = path.join(scratch, "data", "sessions", SESSION, "runner.json");
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), pid: bystander.pid }));
    await connect();
    expect(server.frames.findLast((frame) => frame.type === "hello")).toMatchObject({ running: [] });
    expect(alive(bystander.pid ?? 0)).toHaveLength(1);
    bystander.kill("SIGKILL");
    for (const each of [pid, agent, shell]) process.kill(each, "SIGKILL");
  });

  it("reports a runner that ended, with its last words and without keys, and ends what it left behind", async () => {
    await connect();
    await start(1, SESSION, "exit");
    const exit = await server.until(() => server.frames.find((frame) => frame.type === "runner_exited"));
    expect(exit).toMatchObject({
      sessionId: SESSION,
      incarnation: 1,
      exitCode: 7,
      lastWords: expect.stringContaining("the key is [redacted]"),
    });
    const { agent } = await told(1);
    expect(alive(agent)).toEqual([]);
  });

  it("reports after a reconnect what ended meanwhile", async () => {
    await connect();
    await start(1);
    const { pid } = await told(1);
    await server.close();
    process.kill(pid, "SIGKILL");
    for (; existsSync(path.join(scratch, "data", "sessions", SESSION, "runner.json"));) await wait(10);
    const again = new Server();
    await again.listen(port);
    server = again;
    const exit = await server.until(() => server.frames.find((frame) => frame.type === "runner_exited"));
    expect(exit).toMatchObject({ signal: "SIGKILL" });
  });

  it("refuses more runners than its capacity", async () => {
    await connect({ capacity: 1 });
    await start(1);
    await told(1);
    expect(await start(1, id("ses", "b"))).toMatchObject({ ok: false, code: "machine_full" });
  });

  it("removes a deleted session's runner and files", async () => {
    await connect();
    await start(1);
    const { pid } = await told(1);
    const requestId = request();
    server.send({ type: "forget", requestId, sessionId: SESSION });
    expect(await server.reply(requestId)).toMatchObject({ ok: true });
    expect(alive(pid)).toEqual([]);
    expect(existsSync(path.join(scratch, "data", "sessions", SESSION))).toBe(false);
  });

  it("dials again when the connection goes silent", async () => {
    await connect({ pingIntervalMs: 20 });
    const mute = server.socket;
    mute?.pause();
    await server.until(() => server.dials.length > 1 && server.frames.filter((frame) => frame.type === "hello").length > 1);
    expect(server.dials.length).toBeGreaterThan(1);
  });

  it("[MA6] stops for good when it was removed, and ends what runs", async () => {
    const { over } = await connect();
    await start(1);
    const { pid, agent, shell } = await told(1);
    server.socket?.close(CLOSE.revoked);
    expect(await over).toBe("revoked");
    await machines[0]?.endAll();
    expect(alive(pid, agent, shell)).toEqual([]);
  });

  it("stops for a token that never worked, and when another machine took its place", async () => {
    server.refuseWith = 401;
    expect(await (await connect()).over).toBe("token_refused");
    server.refuseWith = 0;
    const { over } = await connect();
    server.socket?.close(CLOSE.fenced);
    expect(await over).toBe("replaced");
  });
});
