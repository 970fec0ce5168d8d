/** One session's sandbox as its session sees it, and the container beneath as the platform does. */
import { runInDurableObject } from "cloudflare:test";
import { formatId, ID_RANDOM_BYTES } from "@ai-dev-platform/protocol/ids";
import type { SandboxSize } from "@ai-dev-platform/protocol/modes";
import { fleetOf } from "../../../worker/hosts/sandbox/places.ts";
import { sandboxHost } from "../../../worker/hosts/sandbox/sandbox-host.ts";
import type { HostOrder, RunnerHost, StartOutcome } from "../../../worker/session/ports.ts";
import { containerOf, INSIDE_HEADER, type FakeContainer } from "./engine.ts";

const random = () => crypto.getRandomValues(new Uint8Array(ID_RANDOM_BYTES));
const HOUR_MS = 3_600_000;

export class SandboxRig {
  readonly sessionId: string;
  readonly host: RunnerHost;
  readonly #env: Env;
  readonly #ownerId: string;

  constructor(env: Env, ownerId: string = `usr-${crypto.randomUUID()}`, sessionId: string = formatId("session", random())) {
    this.sessionId = sessionId;
    this.#env = env;
    this.#ownerId = ownerId;
    this.host = sandboxHost(env);
  }

  order(incarnation: number, patch: Partial<HostOrder> = {}): HostOrder {
    return {
      sessionId: this.sessionId,
      incarnation,
      linkToken: `adpl_${this.sessionId}_canary-link-token-of-the-test`,
      modelToken: `adpm_${this.sessionId}_canary-model-token-of-the-test`,
      source: { kind: "empty" },
      ownerId: this.#ownerId,
      size: "standard-1" satisfies SandboxSize,
      network: { level: "none", hosts: [] },
      maxLifetimeMs: 12 * HOUR_MS,
      ...patch,
    };
  }

  start(incarnation: number, patch: Partial<HostOrder> = {}): Promise<StartOutcome> {
    return this.host.start(this.order(incarnation, patch));
  }

  async sandboxId(): Promise<string> {
    const place = await fleetOf(this.#env).find(this.sessionId);
    if (place === null) throw new Error("the session has no sandbox");
    return place.sandboxId;
  }

  async container(): Promise<FakeContainer> {
    return containerOf(await this.sandboxId());
  }

  /** What the runner in there was told, and nobody else in there can read. */
  async runnerToken(): Promise<string> {
    return (await this.container()).starts.at(-1)?.env?.["AIDEV_LINK_TOKEN"] ?? "";
  }

  /** What the platform does to a container reaches its object, and nobody else. */
  async inside(act: (container: FakeContainer) => void): Promise<void> {
    const container = await this.container();
    await runInDurableObject(await this.object(), () => act(container));
  }

  /** A request by a program inside the container. */
  async fromInside(address: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set(INSIDE_HEADER, address);
    return (await this.object()).fetch("http://sandbox.test/", { ...init, headers, redirect: "manual" });
  }

  /** What a deploy does: the object starts anew, its container does not notice. */
  async replaceObject(): Promise<void> {
    const container = await this.container();
    const gone = runInDurableObject(await this.object(), (_, ctx) => {
      container.forgetWatchers();
      ctx.abort("Durable Object reset because its code was updated.");
    });
    await gone.catch(() => {});
  }

  async object() {
    return this.#env.SANDBOX.get(this.#env.SANDBOX.idFromString(await this.sandboxId()));
  }
}
