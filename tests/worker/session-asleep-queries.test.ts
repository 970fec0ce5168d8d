import type { Query, QueryResult } from "@ai-dev-platform/protocol/queries";
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { sessionPrefix } from "../../worker/snapshots/names.ts";
import { freshId, installWorlds, SessionWorld, SLEEPS, until, type FakeRunner, type Viewer } from "../support/worker/session-fakes.ts";
import type { Edit } from "../support/saved-history.ts";
import { commitState, saveHistory, write, type SavedState } from "../support/worker/saved-states.ts";

/** Each writes its own saved states with the agent's code, which takes a while on a busy computer. */
vi.setConfig({ testTimeout: 60_000 });

beforeAll(installWorlds);

const ROUNDS: Edit[][] = [
  [
    write("README.md", "# One\n"),
    write("src/app.ts", "one\ntwo\nthree\n"),
    write("src/deep/x.ts", "x"),
    write("secret.txt", "not shown to viewers\n"),
    write(".git/config", "password"),
    { do: "link", path: "code", target: "src" },
    { do: "noise", path: "img.png", bytes: 5_000, seed: 1 },
    write("node_modules/dep/index.js", "left out"),
  ],
  [write("src/app.ts", "one\n2\nthree\n"), write("note.txt", "new\n"), { do: "remove", path: "README.md" }],
  [
    { do: "noise", path: "img.png", bytes: 6_000, seed: 2 },
    { do: "noise", path: "huge.bin", bytes: 1_500_000, seed: 3 },
  ],
];

interface Asleep {
  world: SessionWorld;
  viewer: Viewer;
  states: SavedState[];
  ids: string[];
}

/** A session whose first turn ran and was saved three times; then its runner went to sleep. */
async function asleep(): Promise<Asleep> {
  const { world, viewer, runner, turnId } = await SessionWorld.running();
  const added = { path: "note.txt", status: "added" as const, additions: 1, deletions: 0 };
  const modified = { path: "src/app.ts", status: "modified" as const, additions: 1, deletions: 1 };
  await runner.emit(turnId, { type: "files_changed", base: "", files: [added, modified] });
  await runner.finish(turnId);
  const states = await saveHistory(world.sessionId, ROUNDS);
  for (const { ref } of states) await commitState(runner, ref);
  await sleep(world, runner);
  return { world, viewer, states, ids: states.map(({ ref }) => ref.snapshotId) };
}

async function sleep(world: SessionWorld, runner: FakeRunner): Promise<void> {
  runner.send({ type: "bye" });
  runner.close();
  await expect.poll(async () => (await world.stub.state())?.host.state).toBe("asleep");
}

async function ask<K extends Query["kind"]>(
  viewer: Viewer,
  query: Extract<Query, { kind: K }>,
): Promise<Extract<QueryResult, { kind: K }>> {
  const answer = await viewer.ask((requestId) => ({ type: "query", requestId, query }));
  if (answer.type !== "reply") throw new Error(`${answer.code}: ${answer.detail}`);
  return answer.result as Extract<QueryResult, { kind: K }>;
}
const refusal = async (viewer: Viewer, query: Query) => {
  const answer = await viewer.ask((requestId) => ({ type: "query", requestId, query }));
  return answer.type === "refused" ? answer.code : answer;
};

describe.each(SLEEPS)("files of a session that sleeps, $name", ({ nap }) => {
  it("[SN10] are shown from the newest saved state, which is named, and nothing is started", async () => {
    const { world, viewer, ids } = await asleep();
    const [orders, entries] = [world.host.orders.length, (await world.entries()).length];
    await nap(world);
    const root = await ask(viewer, { kind: "tree", path: "" });
    expect(root.entries.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      "folder src",
      "link code",
      "file huge.bin",
      "file img.png",
      "file note.txt",
      "file secret.txt",
    ]);
    expect(root.asOf).toMatchObject({ snapshotId: ids[2], throughSeq: (await world.stub.state())?.saved?.throughSeq });
    expect((await ask(viewer, { kind: "tree", path: "code/deep" })).entries).toEqual([
      { name: "x.ts", kind: "file", bytes: 1, ignored: false },
    ]);
    await nap(world);
    const file = await ask(viewer, { kind: "file", path: "code/app.ts" });
    expect(file).toMatchObject({ path: "code/app.ts", bytes: 12, text: "one\n2\nthree\n", truncated: false, asOf: root.asOf });
    expect(await ask(viewer, { kind: "file", path: "img.png" })).toMatchObject({ bytes: 6_000, text: null });
    expect(await ask(viewer, { kind: "file", path: "huge.bin" })).toMatchObject({ bytes: 1_500_000, text: null, truncated: true });
    expect(await ask(viewer, { kind: "find", text: "app" })).toMatchObject({ paths: ["src/app.ts"], asOf: root.asOf });
    expect([world.host.orders.length, (await world.entries()).length]).toEqual([orders, entries]);
  });
});

describe("what is not there to be seen", () => {
  it("[SN10] is refused: Git's own store, what leads out, what was not saved", async () => {
    const { viewer } = await asleep();
    for (const path of [".git/config", "../x", "/etc/passwd", "src/../.git/config"])
      for (const kind of ["tree", "file"] as const) expect(await refusal(viewer, { kind, path }), path).toBe("forbidden");
    for (const path of ["node_modules/dep/index.js", "missing", "src", "src/app.ts/x"])
      expect(await refusal(viewer, { kind: "file", path }), path).toBe("not_found");
    expect(await refusal(viewer, { kind: "tree", path: "note.txt" })).toBe("not_found");
  });

  it("[SN10] is read from the state before a damaged one, or said, and the session goes on", async () => {
    const { world, viewer, ids } = await asleep();
    const [one = "", two = "", three = ""] = ids;
    const remove = async (snapshotId: string) => {
      const { objects } = await env.BUCKET.list({ prefix: `${sessionPrefix(world.sessionId)}${snapshotId}/` });
      await env.BUCKET.delete(objects.map(({ key }) => key));
    };
    await remove(three);
    expect(await ask(viewer, { kind: "tree", path: "" })).toMatchObject({ asOf: { snapshotId: two } });
    expect((await ask(viewer, { kind: "snapshot_changes", fromId: one, toId: two })).files).toHaveLength(3);
    expect(await refusal(viewer, { kind: "snapshot_changes", fromId: two, toId: three })).toBe("snapshot_damaged");
    await evictDurableObject(world.object);
    await remove(one);
    await remove(two);
    expect(await refusal(viewer, { kind: "tree", path: "" })).toBe("snapshot_damaged");
    expect(await ask(viewer, { kind: "timeline", beforeSeq: null })).toMatchObject({ entries: [{ snapshotId: three }, {}, {}] });
  });

  it("[QU1] is refused when nothing was ever saved", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    for (const query of [
      { kind: "tree", path: "" },
      { kind: "find", text: "a" },
      { kind: "patch", path: "a" },
    ] as const)
      expect(await refusal(viewer, query)).toBe("unavailable");
    expect(world.host.orders).toEqual([]);
  });

  it("[SN10] stays closed to a mere viewer of a share", async () => {
    const { world, ids } = await asleep();
    const viewer = await world.watching("viewer");
    for (const query of [
      { kind: "tree", path: "" },
      { kind: "file", path: "secret.txt" },
      { kind: "find", text: "s" },
    ] as const)
      expect(await refusal(viewer, query)).toBe("forbidden");
    const first = { fromId: null, toId: ids[0] ?? "" };
    // Against nothing every file is new: only what the log names anyway is shown.
    expect((await ask(viewer, { kind: "snapshot_changes", ...first })).files).toEqual([]);
    expect(await refusal(viewer, { kind: "snapshot_patch", ...first, path: "secret.txt" })).toBe("forbidden");
    const later = { fromId: null, toId: ids[1] ?? "" };
    expect((await ask(viewer, { kind: "snapshot_changes", ...later })).files).toHaveLength(3);
    expect((await ask(viewer, { kind: "snapshot_patch", ...later, path: "src/app.ts" })).patch).toContain("+2\n");
  });
});

describe("what differs between saved states", () => {
  it("[SN10] is told for any two, the one before by default, awake and asleep", async () => {
    const { world, viewer, ids } = await asleep();
    const [one = "", two = "", three = ""] = ids;
    expect(await ask(viewer, { kind: "snapshot_changes", fromId: null, toId: two })).toEqual({
      kind: "snapshot_changes",
      fromId: one,
      toId: two,
      truncated: false,
      files: [
        { path: "README.md", status: "deleted", bytesBefore: 6, bytesAfter: null },
        { path: "note.txt", status: "added", bytesBefore: null, bytesAfter: 4 },
        { path: "src/app.ts", status: "modified", bytesBefore: 14, bytesAfter: 12 },
      ],
    });
    const back = await ask(viewer, { kind: "snapshot_changes", fromId: three, toId: one });
    expect(back.files.map(({ path, status }) => `${status} ${path}`)).toEqual([
      "added README.md",
      "deleted huge.bin",
      "modified img.png",
      "deleted note.txt",
      "modified src/app.ts",
    ]);
    const first = await ask(viewer, { kind: "snapshot_changes", fromId: null, toId: one });
    expect(first).toMatchObject({ fromId: null, truncated: false });
    expect(first.files.map(({ path }) => path)).toEqual(["README.md", "code", "img.png", "secret.txt", "src/app.ts", "src/deep/x.ts"]);
    viewer.send({ type: "warm" });
    await until(() => world.host.orders.length > 1, "a second start");
    await world.readyRunner();
    expect(await ask(viewer, { kind: "snapshot_changes", fromId: null, toId: two })).toMatchObject({ fromId: one });
  });

  it("[SN10] is shown as a patch of one file; binary, large and unknown ones are named as such", async () => {
    const { viewer, ids } = await asleep();
    const [one = "", two = "", three = ""] = ids;
    const patch = (path: string, fromId: string | null, toId: string) => ask(viewer, { kind: "snapshot_patch", fromId, toId, path });
    expect(await patch("src/app.ts", null, two)).toEqual({
      kind: "snapshot_patch",
      path: "src/app.ts",
      patch: "diff --git a/src/app.ts b/src/app.ts\n--- a/src/app.ts\n+++ b/src/app.ts\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n",
      truncated: false,
    });
    expect((await patch("README.md", one, two)).patch).toContain("deleted file mode 100644\n--- a/README.md\n+++ /dev/null\n");
    expect((await patch("img.png", two, three)).patch).toContain("Binary files a/img.png and b/img.png differ");
    expect(await refusal(viewer, { kind: "snapshot_patch", fromId: null, toId: three, path: "huge.bin" })).toBe("too_large");
    expect(await refusal(viewer, { kind: "snapshot_patch", fromId: null, toId: three, path: "README.md" })).toBe("not_found");
    expect(await refusal(viewer, { kind: "snapshot_patch", fromId: null, toId: three, path: ".git/config" })).toBe("forbidden");
    const unknown = freshId("snapshot");
    for (const query of [
      { kind: "snapshot_changes", fromId: null, toId: unknown },
      { kind: "snapshot_changes", fromId: unknown, toId: one },
      { kind: "snapshot_patch", fromId: unknown, toId: one, path: "note.txt" },
    ] as const)
      expect(await refusal(viewer, query)).toBe("not_found");
  });

  it("[SN10] of a file that the session made is shown asleep too, of others only with a runner", async () => {
    const { viewer } = await asleep();
    expect(await ask(viewer, { kind: "patch", path: "note.txt" })).toMatchObject({
      patch: expect.stringContaining("@@ -0,0 +1,1 @@\n+new\n"),
    });
    expect(await refusal(viewer, { kind: "patch", path: "src/app.ts" })).toBe("unavailable");
  });

  it("[SN10] is told in a fork and after going back, whose states have no parts of their own", async () => {
    const { world, viewer, ids, states } = await asleep();
    const [one = "", , three = ""] = ids;
    viewer.send({ type: "rewind", requestId: freshId("request"), snapshotId: one });
    const { snapshotId: now } = await viewer.untilEvent("rewound");
    expect(await ask(viewer, { kind: "file", path: "README.md" })).toMatchObject({ text: "# One\n", asOf: { snapshotId: now } });
    expect(await ask(viewer, { kind: "snapshot_changes", fromId: null, toId: now })).toMatchObject({ fromId: three });
    expect((await ask(viewer, { kind: "snapshot_changes", fromId: one, toId: now })).files).toEqual([]);

    const handed = await world.stub.savedState(null);
    if (!handed.ok) throw new Error(handed.code);
    const { sessionId: _source, machineId: _machine, ...settings } = handed.init;
    const fork = await SessionWorld.create({ ...settings, fork: handed.fork });
    await copyParts(world.sessionId, fork.sessionId);
    const forked = await fork.watching();
    expect((await ask(forked, { kind: "tree", path: "" })).entries.map(({ name }) => name)).toContain("README.md");
    expect(await ask(forked, { kind: "snapshot_changes", fromId: null, toId: now })).toMatchObject({ fromId: null });
    expect((await ask(forked, { kind: "timeline", beforeSeq: null })).entries).toMatchObject([{ snapshotId: now, isHead: true }]);
    expect(fork.host.orders).toEqual([]);
    expect(states).toHaveLength(3);
  });
});

async function copyParts(from: string, to: string): Promise<void> {
  const { objects } = await env.BUCKET.list({ prefix: sessionPrefix(from) });
  for (const { key } of objects) {
    const object = await env.BUCKET.get(key);
    const sha256 = object?.checksums.sha256;
    if (object === null || sha256 === undefined) throw new Error(`no ${key}`);
    await env.BUCKET.put(key.replace(sessionPrefix(from), sessionPrefix(to)), await object.arrayBuffer(), { sha256 });
  }
}

it("[SN10] answers many questions one after the other, and refuses a flood", async () => {
  const { viewer } = await asleep();
  const ids = Array.from({ length: 36 }, () => freshId("request"));
  for (const requestId of ids) viewer.send({ type: "query", requestId, query: { kind: "tree", path: "src" } });
  await expect.poll(() => viewer.of("reply").length + viewer.of("refused").length, { timeout: 30_000 }).toBe(ids.length);
  expect(viewer.of("reply").length).toBeGreaterThanOrEqual(32);
  expect(viewer.of("refused").every(({ code }) => code === "rate_limited")).toBe(true);
});
