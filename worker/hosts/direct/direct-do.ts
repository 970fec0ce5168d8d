/** A direct session's object: an adapter between the platform and the runner in it. One for each session (SPEC DI). */
import { DurableObject } from "cloudflare:workers";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import { createLogger, errorFields } from "../../log.ts";
import { r2SavedFiles } from "../../snapshots/saved-files.ts";
import type { DirectApi } from "./direct-host.ts";
import { DirectRunner } from "./direct-runner.ts";
import { LOOK_AFTER_MS } from "./limits.ts";
import { DirectTables } from "./tables.ts";

const log = createLogger("direct");

export class DirectDO extends DurableObject<Env> implements DirectApi {
  readonly #tables: DirectTables;
  readonly #runner: DirectRunner;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#tables = new DirectTables(ctx.storage.sql);
    this.#runner = new DirectRunner({
      env,
      tables: this.#tables,
      savedFiles: r2SavedFiles(env.BUCKET),
      defer: (work) => ctx.waitUntil(work),
      keepAwake: (isWanted) => ctx.waitUntil(this.#setAlarm(isWanted)),
      log,
    });
  }

  async start(order: RunnerOrder) {
    return this.#runner.start(order);
  }
  async status() {
    return this.#runner.status();
  }
  kill(incarnation: number) {
    return this.#runner.kill(incarnation);
  }

  async forget() {
    await this.#runner.forget();
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#tables.create();
  }

  override async alarm() {
    this.#runner.lookAfter();
  }

  async #setAlarm(isWanted: boolean): Promise<void> {
    try {
      if (isWanted) await this.ctx.storage.setAlarm(Date.now() + LOOK_AFTER_MS);
      else await this.ctx.storage.deleteAlarm();
    } catch (error) {
      log.warn("direct_alarm_failed", errorFields(error));
    }
  }
}
