/**
 * The Worker as the tests load it: everything of the real one, with containers from the stand-in engine. The local runtime of
 * the tests gives no object a container, and the SDK's constructor asks for one.
 */
import * as real from "../../../worker/index.ts";
import { containerOf, INSIDE_HEADER } from "./engine.ts";

export * from "../../../worker/index.ts";
export { ContainerProxy, default } from "../../../worker/index.ts";

type State = ConstructorParameters<typeof real.SandboxDO>[0];

function withContainer(ctx: State): State {
  Object.defineProperty(ctx, "container", { value: containerOf(ctx.id.toString()), configurable: true });
  return ctx;
}

/** A request that something inside the container makes, carried to the object because its proxy is the object's. */
function fromInside(request: Request, ctx: State): Promise<Response> | null {
  const address = request.headers.get(INSIDE_HEADER);
  if (address === null) return null;
  const headers = new Headers(request.headers);
  headers.delete(INSIDE_HEADER);
  return containerOf(ctx.id.toString()).request(new Request(address, new Request(request, { headers })));
}

// The names count: the SDK finds its outbound handlers by them.
export class SandboxDO extends real.SandboxDO {
  constructor(ctx: State, env: Env) {
    super(withContainer(ctx), env);
  }
  override async fetch(request?: Request): Promise<Response> {
    const inside = request === undefined ? null : fromInside(request, this.ctx);
    return inside ?? super.fetch();
  }
}
export class Sandbox2DO extends real.Sandbox2DO {
  constructor(ctx: State, env: Env) {
    super(withContainer(ctx), env);
  }
}
