/**
 * The Worker as the tests load it: everything of the real one, with containers from the stand-in engine. The local runtime of
 * the tests gives no object a container, and the SDK's constructor asks for one.
 */
import * as real from "../../../worker/index.ts";
import { containerOf } from "./engine.ts";

export * from "../../../worker/index.ts";
export { default } from "../../../worker/index.ts";

function withContainer(ctx: DurableObjectState): DurableObjectState {
  Object.defineProperty(ctx, "container", { value: containerOf(ctx.id.toString()), configurable: true });
  return ctx;
}

// The names count: the SDK finds its outbound handlers by them.
export class SandboxDO extends real.SandboxDO {
  constructor(ctx: DurableObjectState, env: Env) {
    super(withContainer(ctx), env);
  }
}
export class Sandbox2DO extends real.Sandbox2DO {
  constructor(ctx: DurableObjectState, env: Env) {
    super(withContainer(ctx), env);
  }
}
