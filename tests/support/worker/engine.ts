/**
 * A stand-in for the platform's containers: the object that `ctx.container` is, as far as the SDK's own source uses it, with
 * the words of its errors. Everything above it is the installed SDK. Containers outlive the object that started them, as real
 * ones do, and are told what to do by tests.
 */

type Startup = { env?: Record<string, string>; enableInternet?: boolean; labels?: Record<string, string> };
/** What the next start does: runs; finds no instance; is refused by the platform; breaks once; or answers when a gate opens. */
export type Plan = "run" | "no_instance" | "rate_limited" | "broken_image" | "stumble" | Promise<void>;

const NO_INSTANCE = "there is no container instance that can be provided to this durable object";

export class FakeContainer {
  running = false;
  readonly starts: Startup[] = [];
  readonly signals: number[] = [];
  destroys = 0;
  plans: Plan[] = [];
  /** When set, the platform takes this long to destroy. */
  destroyGate: Promise<void> = Promise.resolve();
  readonly #http = new Map<string, Fetcher>();
  readonly #https = new Map<string, Fetcher>();
  #all: Fetcher | null = null;
  #listening: Promise<void> = Promise.resolve();
  #ended: Promise<void> = Promise.resolve();
  #end: { resolve: () => void; reject: (error: Error) => void } = { resolve: () => {}, reject: () => {} };

  get images(): Record<string, string> {
    return {};
  }

  start(options: Startup = {}): void {
    if (this.running) throw new Error("start() cannot be called on a container that is already running.");
    this.starts.push(options);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {});
    this.#ended = promise;
    this.#end = { resolve, reject };
    const plan = this.plans.shift() ?? "run";
    if (plan === "no_instance") return reject(new Error(NO_INSTANCE));
    if (plan === "rate_limited") return reject(new Error("you are requesting too many containers per second"));
    if (plan === "broken_image") return reject(new Error("no such image available: registry/agent:latest"));
    if (plan === "stumble") return reject(new Error("container exited with unexpected exit code: 1"));
    this.running = true;
    this.#listening = plan === "run" ? Promise.resolve() : plan;
  }

  monitor(): Promise<void> {
    return this.#ended;
  }

  async destroy(): Promise<void> {
    if (!this.running) throw new Error(NO_INSTANCE);
    this.destroys += 1;
    await this.destroyGate;
    this.exit(0);
  }

  signal(signal: number): void {
    this.signals.push(signal);
  }

  getTcpPort(): { fetch: () => Promise<Response> } {
    return {
      fetch: async () => {
        if (!this.running) throw new Error(NO_INSTANCE);
        await this.#listening;
        if (!this.running) throw new Error("Network connection lost.");
        return new Response("ok");
      },
    };
  }

  async interceptOutboundHttp(host: string, to: Fetcher): Promise<void> {
    this.#http.set(host, to);
  }
  async interceptOutboundHttps(host: string, to: Fetcher): Promise<void> {
    this.#https.set(host, to);
  }
  async interceptAllOutboundHttp(to: Fetcher): Promise<void> {
    this.#all = to;
  }

  // --- for tests, inside the object that owns the container: see SandboxRig.inside ---

  /** The main process ended. */
  exit(code: number): void {
    if (!this.running) return;
    this.running = false;
    if (code === 0) this.#end.resolve();
    else this.#end.reject(new Error(`container exited with unexpected exit code: ${code}`));
  }

  /** The host it ran on is gone; the platform says no more than that. */
  vanish(): void {
    this.running = false;
    this.#end.reject(new Error("Network connection lost."));
  }

  /** A request by something inside, as the platform carries it. Null: nothing takes it, and the network is closed. */
  async request(request: Request): Promise<Response | null> {
    const { hostname, protocol } = new URL(request.url);
    const byHost = protocol === "https:" ? this.#https : this.#http;
    const taker = byHost.get(hostname) ?? (protocol === "https:" ? (byHost.get("*") ?? null) : this.#all);
    return taker === null ? null : taker.fetch(request);
  }
}

const containers = new Map<string, FakeContainer>();

export function containerOf(objectId: string): FakeContainer {
  const known = containers.get(objectId) ?? new FakeContainer();
  containers.set(objectId, known);
  return known;
}
