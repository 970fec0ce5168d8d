/** Signatures on their way to a person's own machine: kept as they came, and nowhere in the log. */
import { runInDurableObject } from "cloudflare:test";
import { emptyState } from "@ai-dev-platform/protocol/state";
import type { CommandSignature } from "@ai-dev-platform/protocol/signing";
import { beforeAll, describe, expect, it } from "vitest";
import { freshId, installWorlds, permission, SessionWorld, SLEEPS, until } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

let made = 0;
const signature = (): CommandSignature => {
  made += 1;
  return {
    keyId: "k".repeat(22),
    machineId: `mch_${"0".repeat(26)}`,
    incarnation: 1,
    counter: made,
    nonce: String(made).padStart(22, "n"),
    issuedAt: Date.now(),
    expiresAt: Date.now() + 60_000,
    signature: String(made).padStart(86, "s"),
  };
};
const OWN = { isOwnMachine: true } as const;
const logText = (world: SessionWorld): Promise<string> =>
  runInDurableObject(world.object, (_instance, { storage }) => JSON.stringify(storage.sql.exec(`SELECT event FROM events`).toArray()));

describe.each(SLEEPS)("signatures, $name", ({ nap }) => {
  it("[SG8] of a waiting prompt reach the runner untouched; an edit brings its own, the same words again no event", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running("first", OWN);
    const [before, after, again] = [signature(), signature(), signature()];
    const promptId = freshId("prompt");
    viewer.send({ type: "prompt", promptId, text: "second", delivery: "queue", signature: before });
    await viewer.until("prompt_ack", (frame) => frame.promptId === promptId);
    await nap(world);
    const edit = (text: string, signed: CommandSignature) =>
      viewer.ask((requestId) => ({ type: "prompt_edit", requestId, promptId, text, signature: signed }));
    expect((await edit("second, better", after)).type).toBe("reply");
    expect((await edit("second, better", again)).type).toBe("reply");
    await nap(world);
    await runner.finish(turnId);
    expect(await runner.until("prompt", (frame) => frame.promptId === promptId)).toMatchObject({
      text: "second, better",
      signature: again,
    });
    expect((await world.entries()).filter(({ type }) => type === "prompt_edited")).toHaveLength(1);
    expect(await logText(world)).not.toContain("ssss");
  });

  it("[SG8] of answers and modes go with them, also to a runner that comes back", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running("do it", OWN);
    const approvalId = freshId("approval");
    await runner.emit(turnId, permission(approvalId));
    const [forAnswer, forMode, forModel] = [signature(), signature(), signature()];
    await viewer.ask((requestId) => ({ type: "answer", requestId, approvalId, answer: { decision: "allow_once" }, signature: forAnswer }));
    expect(await runner.until("answer")).toMatchObject({ approvalId, signature: forAnswer });
    await viewer.ask((requestId) => ({ type: "set_mode", requestId, mode: "acceptEdits", signature: forMode }));
    await viewer.ask((requestId) => ({ type: "set_model", requestId, model: "sonnet", signature: forModel }));
    expect(await runner.until("set_mode")).toMatchObject({ signature: forMode });
    expect(await runner.until("set_model")).toMatchObject({ signature: forModel });
    await nap(world);
    runner.close();
    const back = await world.dialRunner();
    await back.greet();
    expect(back.of("welcome")[0]?.config).toMatchObject({ mode: "acceptEdits", modeSignature: forMode });
    back.send({ type: "ready", openTurnId: turnId });
    expect(await back.until("answer")).toMatchObject({ approvalId, signature: forAnswer });
    await viewer.ask((requestId) => ({ type: "set_mode", requestId, mode: "plan" }));
    expect(await back.until("set_mode")).toEqual({ type: "set_mode", mode: "plan" });
    expect(await logText(world)).not.toContain("ssss");
  });

  it("[SG8] of commands for the machine alone are given at each start of the link, before any prompt, until they expire", async () => {
    const { world, viewer, runner } = await SessionWorld.running("do it", OWN);
    const signed = signature();
    const command = { kind: "allow_collaborators", allowed: true } as const;
    const ask = () => viewer.ask((requestId) => ({ type: "machine_command", requestId, command, signature: signed }));
    expect((await ask()).type).toBe("reply");
    expect(await runner.until("machine_command")).toEqual({ type: "machine_command", command, signature: signed });
    expect((await ask()).type).toBe("reply");
    await nap(world);
    const driver = await world.watching("driver");
    const foreign = await driver.ask((requestId) => ({ type: "machine_command", requestId, command, signature: signature() }));
    expect(foreign).toMatchObject({ code: "forbidden" });
    runner.close();
    const back = await world.readyRunner();
    await back.until("prompt");
    expect(back.frames.map(({ type }) => type).filter((type) => type === "machine_command" || type === "prompt")).toEqual([
      "machine_command",
      "prompt",
    ]);
    world.now = signed.expiresAt + 1;
    back.close();
    const later = await world.dialRunner();
    await later.greet();
    later.send({ type: "ready", openTurnId: null });
    await later.until("prompt");
    expect(later.of("machine_command")).toEqual([]);
  });
});

it("[SG8] tells from its log whether its machine asks for signatures, also after a move", async () => {
  const own = await SessionWorld.create(OWN);
  expect(await own.stub.state()).toMatchObject({ needsSignature: true, machineId: own.machineId });
  const lent = await SessionWorld.create();
  expect(await lent.stub.state()).toMatchObject({ needsSignature: false });
  expect(emptyState().needsSignature).toBe(false);
  const viewer = await lent.watching();
  const machineId = freshId("machine");
  lent.ownMachines.add(machineId);
  lent.alsoAt({ host: "machine", machineId });
  await viewer.ask((requestId) => ({ type: "set_host", requestId, host: "machine", machineId }));
  await until(
    () => viewer.frames.some((frame) => frame.type === "events" && frame.entries.some(({ event }) => event.type === "host_moved")),
    "the move",
  );
  expect(await lent.stub.state()).toMatchObject({ needsSignature: true, machineId });
});

it("[SG8] hands a command for the machine on only where one asks for signatures", async () => {
  const lent = await SessionWorld.create();
  const viewer = await lent.watching();
  const command = { kind: "unpin_key", keyId: "k".repeat(22) } as const;
  const refused = await viewer.ask((requestId) => ({ type: "machine_command", requestId, command, signature: signature() }));
  expect(refused).toMatchObject({ code: "bad_request" });
});
