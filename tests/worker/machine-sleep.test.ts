/** A laptop that slept for eight hours, as its session sees it: one end for the turn, nothing lost, nothing run again. */
import { RUNNER_RECONNECT_GRACE_MS } from "@ai-dev-platform/protocol/limits";
import { beforeAll, describe, expect, it } from "vitest";
import { installWorlds, SessionWorld, SLEEPS } from "../support/worker/session-fakes.ts";

const EIGHT_HOURS_MS = 8 * 3_600_000;

beforeAll(installWorlds);

describe.each(SLEEPS)("eight hours of sleep in a turn, $name", ({ nap }) => {
  it("[MA11, TU4, PR2] end the turn once; the old runner is told to leave, and what waited is kept", async () => {
    const { world, viewer, runner, turnId, promptId } = await SessionWorld.running("before the lid closed");
    const later = viewer.prompt("while it slept");
    await viewer.until("prompt_ack", (frame) => frame.promptId === later);
    await nap(world);
    await world.advance(EIGHT_HOURS_MS);
    await world.advance(RUNNER_RECONNECT_GRACE_MS);
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ turnId, outcome: "interrupted" });
    const late = await runner.redial();
    expect(await late.untilClosed()).toBe(4409);
    const entries = await world.entries();
    expect(entries.filter(({ type }) => type === "turn_ended")).toHaveLength(1);
    expect(entries.filter(({ type }) => type === "turn_started")).toHaveLength(1);
    const { queue, turn } = (await world.stub.state()) ?? {};
    expect(queue?.map((waiting) => waiting.promptId)).toEqual([later]);
    expect(queue?.some((waiting) => waiting.promptId === promptId)).toBe(false);
    expect(turn).toBeNull();
  });
});
