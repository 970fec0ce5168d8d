import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { SandboxRig } from "../../support/worker/sandbox-rig.ts";

describe("a sandbox's start", () => {
  it("runs a container that is told names and no credential", async () => {
    const rig = new SandboxRig(env);
    expect(await rig.start(1)).toEqual({ kind: "started", hostName: "Cloudflare Sandbox" });
    const container = await rig.container();
    expect(container.starts).toHaveLength(1);
    expect(container.starts[0]?.enableInternet).toBe(false);
    expect(container.starts[0]?.env).toMatchObject({
      AIDEV_SESSION: rig.sessionId,
      AIDEV_INCARNATION: "1",
      AIDEV_SERVER: "http://platform.internal",
      AIDEV_MODEL_URL: "http://llm.internal",
      SANDBOX_INTERCEPT_HTTPS: "1",
    });
    expect(JSON.stringify(container.starts)).not.toMatch(/adp[lm]_/);
    expect(await rig.host.status(rig.sessionId)).toEqual({ state: "running", incarnation: 1 });
    await rig.host.kill(rig.sessionId, 1);
    expect(container.running).toBe(false);
    expect(await rig.host.status(rig.sessionId)).toEqual({ state: "stopped", incarnation: 1 });
  });
});
