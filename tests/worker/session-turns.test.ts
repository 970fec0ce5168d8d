import { beforeAll, describe, expect, it } from "vitest";
import { installWorlds, SessionWorld } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

describe("a prompt's way", () => {
  it("[PR1][TU2] runs a prompt from the queue to its turn's one end", async () => {
    const { world, viewer, runner, turnId, promptId } = await SessionWorld.running("hello");
    await runner.write(turnId, "hi");
    await runner.finish(turnId);
    const ended = await viewer.untilEvent("turn_ended");
    expect(ended).toMatchObject({ turnId, outcome: "completed" });
    expect((await viewer.until("prompt_ack")).promptId).toBe(promptId);
    const types = (await world.entries()).map((entry) => entry.type);
    expect(types.filter((type) => type !== "host_changed")).toEqual(["session_created", "prompt_queued", "turn_started", "text_written", "turn_ended"]);
    await runner.until("save");
  });
});
