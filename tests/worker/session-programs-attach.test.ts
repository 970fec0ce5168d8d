/** A program's line to a session, inside the Worker: every entry once, its own pace, its end with its access. */
import { env } from "cloudflare:workers";
import { REPLAY_CHUNK_BYTES, VIEWER_CLOSE_BYTES } from "@ai-dev-platform/protocol/limits";
import type { SessionFrame } from "@ai-dev-platform/protocol/viewer";
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Attached } from "../../worker/api/attach.ts";
import { TurnFold } from "../../worker/api/turn-output.ts";
import { AppError } from "../../worker/errors.ts";
import { newId } from "../../worker/ids.ts";
import { tokenGrantId } from "../../worker/session/api.ts";
import { randomFrom } from "../support/random.ts";
import { crash, installWorlds, SessionWorld, SLEEPS, until } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const actor = (over: Partial<Parameters<typeof attach>[2]> = {}) => ({
  userId: "user-1",
  name: "CI (API)",
  tokenId: newId("apiToken"),
  expiresAt: null,
  ...over,
});

const open = (world: SessionWorld, afterSeq: number | null, who = actor(), signal = new AbortController().signal) =>
  attach(env, world.sessionId, who, afterSeq, signal);

/** Reads on in the background, as a stream's writer does. */
function reading(attached: Attached) {
  const frames: SessionFrame[] = [];
  const end: { error: unknown; isOver: boolean } = { error: null, isOver: false };
  void (async () => {
    try {
      for await (const frame of attached.frames()) frames.push(frame);
    } catch (error) {
      end.error = error;
    }
    end.isOver = true;
  })();
  const seqs = () => frames.flatMap((frame) => (frame.type === "events" ? frame.entries.map(({ seq }) => seq) : []));
  return { frames, end, seqs };
}

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
const socketCount = (world: SessionWorld) => runInDurableObject(world.object, (_instance, state) => state.getWebSockets("viewer").length);

async function fill(world: SessionWorld, count: number, textChars = 10): Promise<void> {
  for (let n = 0; n < count; n += 1) await world.stub.rename(`${n}`.padEnd(textChars, "x"));
}

/** Entries straight into storage, for a log too long to make one call at a time. */
async function fillStorage(world: SessionWorld, count: number): Promise<void> {
  await addToStorage(world, count, 1);
  await crash(world);
}

async function addToStorage(world: SessionWorld, count: number, titleChars: number): Promise<void> {
  await runInDurableObject(world.object, (_instance, { storage }) => {
    const event = JSON.stringify({ type: "session_renamed", title: "t".repeat(titleChars) });
    storage.transactionSync(() => {
      const { seq } = storage.sql.exec<{ seq: number }>(`SELECT seq FROM log_head`).one();
      for (let n = 1; n <= count; n += 1)
        storage.sql.exec(`INSERT INTO events (seq, at, thread, event) VALUES (?, 1, 'main', ?)`, seq + n, event);
      storage.sql.exec(`UPDATE log_head SET seq = ?`, seq + count);
    });
  });
}

describe.each(SLEEPS)("a program that is attached, $name", ({ nap }) => {
  it("[CA6] has every entry after its own exactly once, then live ones", async () => {
    const world = await SessionWorld.create();
    await fill(world, 3);
    const attached = await open(world, 1);
    expect(attached.welcome).toMatchObject({ mode: "resume", head: 4, role: "owner", name: "CI (API)" });
    const reader = reading(attached);
    await nap(world);
    await fill(world, 3);
    await until(() => reader.seqs().length >= 6, "entries");
    expect(reader.seqs()).toEqual(range(2, 7));
    attached.close();
    await until(() => reader.end.isOver, "the end");
    expect(reader.end.error).toBeNull();
  });
});

describe("a line that breaks", () => {
  it("[CA6] is opened again by itself, without a gap or a repeat", async () => {
    const world = await SessionWorld.create();
    const attached = await open(world, 0);
    const reader = reading(attached);
    await fill(world, 2);
    await until(() => reader.seqs().length >= 3, "the first entries");
    await crash(world);
    await fill(world, 2);
    await until(() => reader.seqs().length >= 5, "the rest");
    expect(reader.seqs()).toEqual(range(1, 5));
    expect(reader.frames.some((frame) => frame.type === "welcome")).toBe(true);
    attached.close();
  });

  it("[CA6] reads what a reset leaves out, however long the log is", async () => {
    const world = await SessionWorld.create();
    await fillStorage(world, 2_500);
    const attached = await open(world, 3);
    expect(attached.welcome.mode).toBe("reset");
    const reader = reading(attached);
    await until(() => reader.seqs().length >= 2_498, "all entries");
    expect(reader.seqs()).toEqual(range(4, 2_501));
    attached.close();
  });

  it("[CA6] goes on with what comes next for a reader that is ahead of the log", async () => {
    const world = await SessionWorld.create();
    const attached = await open(world, 99);
    const reader = reading(attached);
    await fill(world, 2);
    await until(() => reader.seqs().length >= 2, "entries");
    expect(reader.seqs()).toEqual([2, 3]);
    attached.close();
  });
});

describe("any history", () => {
  it.each(range(1, 8))(
    "[CA6] of breaks, naps, bursts and pauses gives every entry once (seed %i)",
    async (seed) => {
      const below = randomFrom(seed);
      const world = await SessionWorld.create();
      const attached = await open(world, 0);
      const frames = attached.frames()[Symbol.asyncIterator]();
      const seqs: number[] = [];
      let head = 1;
      const readOne = async () => {
        const { value } = await frames.next();
        if (value?.type === "events") seqs.push(...value.entries.map(({ seq }: { seq: number }) => seq));
      };
      for (let step = 0; step < 30; step += 1) {
        const chance = below(8);
        await world.stub.state();
        if (chance === 0) await crash(world);
        else if (chance === 1) await SLEEPS[1]?.nap(world);
        else if (chance === 2) {
          const count = 1 + below(250);
          await addToStorage(world, count, 100 + below(3_000));
          head += count;
          await crash(world);
        } else if (chance < 6) {
          const count = 1 + below(3);
          await fill(world, count, 1 + below(60_000));
          head += count;
        } else for (let n = below(4); n > 0 && (seqs.at(-1) ?? 0) < head; n -= 1) await readOne();
      }
      while ((seqs.at(-1) ?? 0) < head) await readOne();
      expect(seqs).toEqual(range(1, head));
      attached.close();
    },
    30_000,
  );
});

describe("a slow reader", () => {
  it("[CA6][VS5] slows itself alone, and still has every entry in the end", async () => {
    const world = await SessionWorld.create();
    const attached = await open(world, 0);
    const other = await world.watching();
    const chars = 50_000;
    const count = Math.ceil((VIEWER_CLOSE_BYTES + 3 * REPLAY_CHUNK_BYTES) / chars);
    await fill(world, count, chars);
    await until(() => other.closed !== null || other.receivedBytes > VIEWER_CLOSE_BYTES / 2, "the other viewer's frames");
    const reader = reading(attached);
    await until(() => reader.seqs().length >= count + 1, "all entries");
    expect(reader.seqs()).toEqual(range(1, count + 1));
    attached.close();
  });
});

describe("the end of access", () => {
  it("[CA6][RO3] ends the reading when the token is revoked, and refuses the next", async () => {
    const world = await SessionWorld.create();
    const who = actor();
    const reader = reading(await open(world, 0, who));
    await world.stub.revokeGrant(tokenGrantId(who.tokenId));
    await until(() => reader.end.isOver, "the end");
    expect(reader.end.error).toMatchObject({ code: "api_token_refused" });
    await expect(open(world, 0, who)).rejects.toMatchObject({ code: "api_token_refused" });
  });

  it("[CA6] ends the reading when the token expires", async () => {
    const world = await SessionWorld.create();
    const reader = reading(await open(world, 0, actor({ expiresAt: world.now + 1_000 })));
    await world.advance(2_000);
    await until(() => reader.end.isOver, "the end");
    expect(reader.end.error).toMatchObject({ code: "api_token_refused" });
  });

  it("[CA6] ends the reading when the session is deleted", async () => {
    const world = await SessionWorld.create();
    const reader = reading(await open(world, 0));
    await world.stub.destroy();
    await until(() => reader.end.isOver, "the end");
    expect(reader.end.error).toBeInstanceOf(AppError);
    expect(reader.end.error).toMatchObject({ code: "session_deleted" });
  });

  it("[CA6] ends with the client's signal, and leaves no socket behind", async () => {
    const world = await SessionWorld.create();
    const client = new AbortController();
    const reader = reading(await open(world, 0, actor(), client.signal));
    client.abort();
    await until(() => reader.end.isOver, "the end");
    expect(reader.end.error).toMatchObject({ name: "AbortError" });
    const early = new AbortController();
    early.abort();
    await expect(open(world, 0, actor(), early.signal)).rejects.toMatchObject({ name: "AbortError" });
    let left = await socketCount(world);
    while (left > 0) left = await socketCount(world);
  });

  it("[CA6] leaves no socket behind of clients that leave at any moment", async () => {
    const world = await SessionWorld.create();
    await fill(world, 5);
    const who = actor();
    let opened = 0;
    const visits = Array.from({ length: 80 }, async (_, index) => {
      const client = new AbortController();
      const leave = () => client.abort();
      if (index % 4 === 0) leave();
      else if (index % 4 === 1) setTimeout(leave, index % 23);
      try {
        const attached = await open(world, index % 3 === 0 ? null : 0, who, client.signal);
        opened += 1;
        for await (const frame of attached.frames()) {
          if (index % 4 === 2 && frame.type === "events") break;
          if (index % 4 === 3) attached.close();
          if (index % 4 === 1 && frame.type === "events") leave();
        }
      } catch (error) {
        expect(error).toMatchObject({ name: "AbortError" });
      }
    });
    await Promise.all(visits);
    expect(opened).toBeGreaterThan(30);
    let left = await socketCount(world);
    while (left > 0) left = await socketCount(world);
  }, 30_000);

  it("[CA6] leaves no socket behind when it is closed while its line is opened again", async () => {
    const world = await SessionWorld.create();
    const attached = await open(world, 0);
    const frames = attached.frames()[Symbol.asyncIterator]();
    await frames.next();
    await crash(world);
    const next = frames.next();
    attached.close();
    expect(await next).toMatchObject({ done: true });
    let left = await socketCount(world);
    while (left > 0) left = await socketCount(world);
  });

  it("[CA6] leaves no socket behind when the reader stops", async () => {
    const world = await SessionWorld.create();
    const attached = await open(world, 0);
    for await (const frame of attached.frames()) if (frame.type === "events") break;
    let left = await socketCount(world);
    while (left > 0) left = await socketCount(world);
  });

  it("[CA6] refuses a session that there is not", async () => {
    const world = new SessionWorld();
    await expect(open(world, 0)).rejects.toMatchObject({ code: "not_found" });
  });
});

describe.each(SLEEPS)("a turn that is followed, $name", ({ nap }) => {
  it("[CA7] gives its text live and whole, though the session sleeps in the midst of a block", async () => {
    const { world, runner, turnId, promptId } = await SessionWorld.running();
    const progress = await world.stub.promptProgress(promptId);
    const attached = await open(world, (progress?.seq ?? 0) - 1);
    const fold = new TurnFold(promptId);
    let text = fold.textDelta(attached.welcome);
    const following = (async () => {
      for await (const frame of attached.frames()) {
        text += fold.textDelta(frame);
        if (fold.isOver) return;
      }
    })();
    const piece = (block: string, offset: number, more: string) =>
      runner.send({ type: "live", thread: "main", block, kind: "text", offset, text: more });
    piece("m:0", 0, "Hel");
    await until(() => text === "Hel", "the first piece");
    await nap(world);
    piece("m:0", 3, "lo 😀");
    await until(() => text === "Hello 😀", "the piece after it");
    await runner.write(turnId, "Hello 😀", "m:0");
    piece("m:1", 0, "Sec");
    await until(() => text.endsWith("Sec"), "the next block");
    await nap(world);
    await runner.write(turnId, "Second", "m:1");
    await runner.emit(turnId, { type: "files_changed", base: "", files: [{ path: "a.ts", status: "added", additions: 1, deletions: 0 }] });
    await runner.finish(turnId);
    await following;
    expect(text).toBe("Hello 😀\n\nSecond");
    expect(fold).toMatchObject({ content: text, outcome: "completed", approvals: [] });
    expect(fold.filesChanged.map(({ path }) => path)).toEqual(["a.ts"]);
  });
});

describe("a question", () => {
  it("[CA6][QU1] is answered beside the reading, or refused with its code", async () => {
    const { world, runner } = await SessionWorld.running();
    const attached = await open(world, null);
    const asked = attached.query({ kind: "tree", path: "" });
    const { requestId } = await runner.until("query");
    runner.send({ type: "reply", requestId, result: { kind: "tree", path: "", entries: [], truncated: false } });
    expect(await asked).toMatchObject({ kind: "tree", entries: [] });
    const refused = attached.query({ kind: "file", path: "x" });
    const second = await runner.until("query", (frame) => frame.requestId !== requestId);
    runner.send({ type: "refused", requestId: second.requestId, code: "not_found", detail: "no such file" });
    await expect(refused).rejects.toMatchObject({ code: "not_found", detail: "no such file" });
    attached.close();
  });
});
