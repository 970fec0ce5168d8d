/** The object store's process: started once, asked for its counters, ended with this one. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

export interface Counters {
  puts: number;
  putBytes: number;
  gets: number;
  getBytes: number;
}

export class Store {
  /** As fast as loopback is. */
  readonly fast: string;
  /** As slow as R2 was measured to be. */
  readonly model: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ports: { fast: number; model: number }) {
    this.#child = child;
    this.fast = `http://127.0.0.1:${ports.fast}`;
    this.model = `http://127.0.0.1:${ports.model}`;
  }

  static async start(): Promise<Store> {
    const child = fork(path.join(import.meta.dirname, "model-server.ts"), { stdio: "inherit", execArgv: [] });
    const [ports] = await once(child, "message");
    return new Store(child, ports as { fast: number; model: number });
  }

  /** What was asked of it since it was started. */
  counters(): Promise<Counters> {
    return this.#ask("counters");
  }

  /** Drops all objects. */
  async forget(): Promise<void> {
    await this.#ask("forget");
  }

  close(): void {
    this.#child.disconnect();
  }

  async #ask(what: string): Promise<Counters> {
    const answer = once(this.#child, "message");
    this.#child.send(what);
    return (await answer)[0] as Counters;
  }
}
