/**
 * A stand-in for the platform's containers: the object that `ctx.container` is, as far as the SDK's own source uses it, with
 * the words of its errors. Everything above it is the installed SDK. Containers outlive the object that started them, as real
 * ones do, and are told what to do by tests.
 */

type Startup = { env?: Record<string, string>; enableInternet?: boolean; labels?: Record<string, string> };
/** What the next start does: runs; finds no instance; is refused by the platform; breaks once; or answers when a gate opens. */
export type Plan = "run" | "no_instance" | "rate_limited" | "broken_image" | "stumble" | Promise<void>;

const NO_INSTANCE = "there is no container instance that can be provided to this durable object";

const REFUSALS: Record<Exclude<Plan, Promise<void>>, string | null> = {
  run: null,
  no_instance: NO_INSTANCE,
  rate_limited: "you are requesting too many containers per second",
  broken_image: "no such image available: registry/agent:latest",
  stumble: "container exited with unexpected exit code: 1",
};

/** Names the address of a request that comes from inside; the object that carries it takes this off. */
export const INSIDE_HEADER = "x-test-address";

/** Plans of containers that no object has asked for yet. */
export const unborn: { plans: Plan[] } = { plans: [] };

export class FakeContainer {
  running = false;
  readonly starts: Startup[] = [];
  readonly signals: number[] = [];
  destroys = 0;
  plans: Plan[] = [...unborn.plans];
  /** When set, the platform takes this long to destroy. */
  destroyGate: Promise<void> = Promise.resolve();
  readonly #http = new Map<string, Fetcher>();
  readonly #https = new Map<string, Fetcher>();
  #all: Fetcher | null = null;
  #listening: Promise<void> = Promise.resolve();
  /** How the newest run ended; null while it runs. */
  #end: { error: Error | null } | null = { error: null };
  #watchers: { resolve: () => void; reject: (error: Error) => void }[] = [];

  get images(): Record<string, string> {
    return {};
  }

  start(options: Startup = {}): void {
    if (this.running) throw new Error("start() cannot be called on a container that is already running.");
    this.starts.push(options);
    this.#end = null;
    this.#watchers = [];
    const plan = this.plans.shift() ?? "run";
    const words = plan instanceof Promise ? null : REFUSALS[plan];
    if (words !== null) return this.#finish(new Error(words));
    this.running = true;
    this.#listening = plan instanceof Promise ? plan : Promise.resolve();
  }

  /** A promise of its own for each caller, because one that was made in an object's earlier life belongs to that life. */
  monitor(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {});
    if (this.#end === null) this.#watchers.push({ resolve, reject });
    else if (this.#end.error === null) resolve();
    else reject(this.#end.error);
    return promise;
  }

  /** The object's earlier life is over: what it waited for concerns nobody. */
  forgetWatchers(): void {
    this.#watchers = [];
  }

  #finish(error: Error | null): void {
    this.running = false;
    this.#end = { error };
    for (const { resolve, reject } of this.#watchers.splice(0)) {
      if (error === null) resolve();
      else reject(error);
    }
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
    if (this.running) this.#finish(code === 0 ? null : new Error(`container exited with unexpected exit code: ${code}`));
  }

  /** The host it ran on is gone; the platform says no more than that. */
  vanish(): void {
    this.#finish(new Error("Network connection lost."));
  }

  /** A request by something inside, as the platform carries it: to the proxy of its host, of all hosts, or nowhere. */
  async request(request: Request): Promise<Response> {
    const { hostname, protocol } = new URL(request.url);
    const isSecure = protocol === "https:";
    const taker = (isSecure ? this.#https : this.#http).get(hostname) ?? (isSecure ? (this.#https.get("*") ?? null) : this.#all);
    if (taker === null) throw new Error("the network is closed");
    return taker.fetch(request);
  }
}

const containers = new Map<string, FakeContainer>();

export function containerOf(objectId: string): FakeContainer {
  const known = containers.get(objectId) ?? new FakeContainer();
  containers.set(objectId, known);
  return known;
}
