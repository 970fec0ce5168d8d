/** What a session writes is what it costs: stored rows are billed. Counted at the storage itself, not by a clock. */
import { CHECKPOINT_INTERVAL_MS } from "@ai-dev-platform/protocol/limits";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { installWorlds, SessionWorld, until } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

/** An agent's fast pace; a slower one would checkpoint more often per token, and cost more. */
const TOKENS_PER_SECOND = 80;
const TOKENS = 1_000;
const MAX_ROWS = 20;
const TOKEN = "word ";

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** Counts the rows that sessions write from here on. */
async function countRows(world: SessionWorld): Promise<() => number> {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  await runInDurableObject(world.object, (_instance, { storage }) => {
    const prototype = Object.getPrototypeOf(storage.sql) as SqlStorage;
    const { exec } = prototype;
    prototype.exec = function counting<T extends Record<string, SqlStorageValue>>(this: SqlStorage, query: string, ...bindings: unknown[]) {
      const cursor = exec.call(this, query, ...bindings) as SqlStorageCursor<T>;
      cursors.push(cursor);
      return cursor;
    } as SqlStorage["exec"];
    cleanUps.push(() => void (prototype.exec = exec));
  });
  return () => cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0);
}

/** Holds back the checkpoints' timer, so that a test says when a second has passed. */
function holdCheckpoints(): { pass(world: SessionWorld): Promise<number> } {
  const held: (() => void)[] = [];
  const real = globalThis.setTimeout;
  const holding = (run: () => void, delayMs?: number) => {
    if (delayMs !== CHECKPOINT_INTERVAL_MS) return real(run, delayMs);
    held.push(run);
    return 0;
  };
  globalThis.setTimeout = holding as typeof setTimeout;
  cleanUps.push(() => void (globalThis.setTimeout = real));
  return {
    async pass(world) {
      const due = held.splice(0);
      await runInDurableObject(world.object, () => due.forEach((run) => run()));
      return due.length;
    },
  };
}

describe("rows written", () => {
  it(`[LV1][LV2] are at most ${MAX_ROWS} for ${TOKENS} streamed tokens, with their checkpoints and their event`, async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    const checkpoints = holdCheckpoints();
    const rows = await countRows(world);
    let text = "";
    let passed = 0;
    for (let token = 0; token < TOKENS; token += 1) {
      runner.send({ type: "live", thread: "main", block: "m:0", kind: "text", offset: text.length, text: TOKEN });
      text += TOKEN;
      if ((token + 1) % TOKENS_PER_SECOND !== 0) continue;
      const shown = text.length;
      await until(() => viewer.of("live").some((frame) => frame.offset + frame.text.length === shown), "the text so far");
      passed += await checkpoints.pass(world);
    }
    expect(passed).toBe(Math.floor(TOKENS / TOKENS_PER_SECOND));
    await runner.write(turnId, text);
    expect(rows()).toBeLessThanOrEqual(MAX_ROWS);
    // The count is of something: each checkpoint and the event were written.
    expect(rows()).toBeGreaterThan(passed);
  });

  it("[LV1] are none for a piece of live text", async () => {
    const { world, viewer, runner } = await SessionWorld.running();
    holdCheckpoints();
    const rows = await countRows(world);
    for (let n = 0; n < 100; n += 1)
      runner.send({ type: "live", thread: "main", block: "m:0", kind: "text", offset: n * TOKEN.length, text: TOKEN });
    const end = 100 * TOKEN.length;
    await until(() => viewer.of("live").some((frame) => frame.offset + frame.text.length === end), "all text");
    expect(rows()).toBe(0);
  });

  it("[RO4] are none while viewers look, acknowledge and ping", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    const rows = await countRows(world);
    for (let n = 0; n < 20; n += 1) viewer.ack();
    viewer.ws.send("ping");
    await viewer.hello(null);
    expect(rows()).toBe(0);
  });
});
