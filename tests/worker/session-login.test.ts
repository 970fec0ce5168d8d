/** The login source, seen from the Worker: where it holds, what it costs, and that the proxy has no part in it. */
import { beforeAll, describe, expect, it } from "vitest";
import type { SessionBody } from "@ai-dev-platform/protocol/http";
import { modelSourceNow } from "../../worker/session/model-source.ts";
import { signUp, type AppClient } from "../support/worker/app-client.ts";
import { signInMachine } from "../support/worker/own-machine.ts";
import { installWorlds, SessionWorld } from "../support/worker/session-fakes.ts";
import { newProject } from "../support/worker/session-rows.ts";

beforeAll(installWorlds);

const OWN = { modelSource: "login", isOwnMachine: true } as const;
const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 3, cacheWriteTokens: 1, costUsd: 9 };

describe("a session with its owner's own login", () => {
  it("[LP4] tells the runner, shows what the agent counted, and charges nothing", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running("do it", OWN);
    expect(runner.frames.find((frame) => frame.type === "welcome")).toMatchObject({ config: { modelSource: "login" } });
    await runner.emit(turnId, { type: "turn_report", turnId, outcome: "completed", agentSessionId: null, usage });
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ usage: { ...usage, costUsd: 0 } });
    expect((await world.stub.state())?.usage.costUsd).toBe(0);
  });

  it("[LP4] has no business at the proxy", async () => {
    const { world, runner } = await SessionWorld.running("do it", OWN);
    const { modelToken } = runner.order;
    expect(await world.stub.authorizeModelCall({ modelToken, model: "claude", estimateUsd: 0.1 })).toEqual({
      ok: false,
      code: "model_token_refused",
    });
  });

  it("[LP4] is not believed about its use where the key pays", async () => {
    const { viewer, runner, turnId } = await SessionWorld.running();
    await runner.emit(turnId, { type: "turn_report", turnId, outcome: "completed", agentSessionId: null, usage });
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ usage: { inputTokens: 0, costUsd: 0 } });
  });

  it("[LP4] is the stored key's anywhere else, and the login again back there", () => {
    const login = { modelSource: "login", needsSignature: true } as const;
    expect(modelSourceNow({ ...login, hostKind: "machine" })).toBe("login");
    expect(modelSourceNow({ ...login, hostKind: "machine", needsSignature: false })).toBe("key");
    expect(modelSourceNow({ ...login, hostKind: "direct", needsSignature: false })).toBe("key");
    expect(modelSourceNow({ modelSource: "demo", hostKind: "sandbox", needsSignature: false })).toBe("demo");
  });
});

describe("making one", () => {
  let owner: AppClient;
  beforeAll(async () => {
    owner = await signUp("Login owner");
  });

  it("[LP4] needs no key, and a machine of one's own", async () => {
    const { projectId } = await newProject(owner);
    const wanted = { projectId, modelSource: "login", host: "machine" };
    const refused = await owner.send("POST", "/api/sessions", wanted);
    expect([refused.status, (await refused.json<{ error: { code: string } }>()).error.code]).toEqual([409, "login_elsewhere"]);
    const { machineId } = await signInMachine(owner);
    expect(await owner.json<SessionBody>("POST", "/api/sessions", { ...wanted, machineId })).toMatchObject({ modelSource: "login" });
  });
});
