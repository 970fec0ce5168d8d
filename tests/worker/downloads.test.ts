import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { partName } from "../../worker/snapshots/names.ts";
import { createFromInit } from "../../worker/routes/session-lifecycle.ts";
import { attachment, fileName } from "../../worker/routes/downloads.ts";
import { fetchApp, signUp, type AppClient } from "../support/worker/app-client.ts";
import { freshId, SessionWorld } from "../support/worker/session-fakes.ts";
import { newProject, newSession } from "../support/worker/session-rows.ts";
import type { DiskEntry, Edit } from "../support/saved-history.ts";
import { saveHistory, write, type SavedState } from "../support/worker/saved-states.ts";

/** Each writes its own saved states with the agent's code, which takes a while on a busy computer. */
vi.setConfig({ testTimeout: 60_000 });

const DEEP = `${"a-long-folder-name/".repeat(8)}${"n".repeat(110)}.txt`;
const TREE: Edit[] = [
  write("README.md", "# Hello\n"),
  write("bin/run", "#!/bin/sh\n", 0o755),
  write("page.html", "<script>alert(1)</script>"),
  write("empty", ""),
  write("ünï cödé.txt", "ü"),
  write(`${"ö".repeat(70)}/${"é".repeat(60)}.txt`, "long in UTF-8"),
  write(DEEP, "deep"),
  { do: "folder", path: "empty-folder" },
  { do: "link", path: "current", target: "bin/run" },
  { do: "link", path: "bin/up", target: "../README.md" },
  { do: "noise", path: "large.bin", bytes: 5_500_000, seed: 4 },
  write(".git/HEAD", "ref: refs/heads/main\n"),
];

/** A session of this person's that has a saved state and never had a runner. */
async function savedSession(
  owner: AppClient,
  title = "Fix: the “login” page",
  edits = TREE,
  damage: (ref: SnapshotRef, sessionId: string) => Promise<SnapshotRef> = async (ref) => ref,
): Promise<{ sessionId: string; state: SavedState }> {
  const { projectId } = await newProject(owner);
  const sessionId = freshId("session");
  const [state] = await saveHistory(sessionId, [edits]);
  if (state === undefined) throw new Error("nothing was saved");
  const snapshot = await damage(state.ref, sessionId);
  const origin = { sessionId: freshId("session"), title, throughSeq: 1, snapshot, conversations: {}, label: "" };
  const init = new SessionWorld().init({ sessionId, title, ownerId: owner.userId, projectId, machineId: null, fork: origin });
  await createFromInit(env, init, Date.now());
  return { sessionId, state };
}

const textOf = async (response: Response) => new TextDecoder().decode(await response.arrayBuffer());
const address = (sessionId: string, snapshotId: string, rest: string) => `/api/sessions/${sessionId}/snapshots/${snapshotId}/${rest}`;

async function unpack(format: "zip" | "tar", response: Response): Promise<Record<string, DiskEntry>> {
  const archive = await response.arrayBuffer();
  const length = response.headers.get("content-length");
  if (format === "zip") expect(Number(length)).toBe(archive.byteLength);
  const unpacked = await fetch(`http://packs.test/unpack/${format}`, { method: "POST", body: archive });
  if (!unpacked.ok) throw new Error(await unpacked.text());
  return unpacked.json();
}

const without = (disk: Record<string, DiskEntry>, isOut: (path: string) => boolean) =>
  Object.fromEntries(Object.entries(disk).filter(([path]) => !isOut(path)));
const isGit = (path: string) => path === ".git" || path.startsWith(".git/");

describe("a saved state as an archive", () => {
  it.each(["zip", "tar"] as const)("[SN10] is the workspace, byte for byte, with modes and links, as %s", async (format) => {
    const owner = await signUp();
    const { sessionId, state } = await savedSession(owner);
    const response = await owner.fetch(address(sessionId, "head", `archive?format=${format}`));
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      format === "zip" ? "application/zip" : "application/x-tar",
    ]);
    expect(response.headers.get("content-disposition")).toBe(
      `attachment; filename="Fix_the_login_page.${format}"; filename*=UTF-8''Fix%20the%20%E2%80%9Clogin%E2%80%9D%20page.${format}`,
    );
    expect(await unpack(format, response)).toEqual(without(state.disk, isGit));
    const withGit = await owner.fetch(address(sessionId, state.ref.snapshotId, `archive?format=${format}&git=1`));
    expect(await unpack(format, withGit)).toEqual(state.disk);
  });

  it("[SN10] is announced by HEAD without its bytes", async () => {
    const owner = await signUp();
    const { sessionId } = await savedSession(owner, "t", [write("a", "1")]);
    for (const format of ["zip", "tar"]) {
      const head = await owner.fetch(address(sessionId, "head", `archive?format=${format}`), { method: "HEAD" });
      expect([head.status, head.headers.get("content-disposition"), await head.text()]).toEqual([
        200,
        `attachment; filename="t.${format}"; filename*=UTF-8''t.${format}`,
        "",
      ]);
    }
  });

  it("[SN10] is an error as JSON when that can be known before the first byte", async () => {
    const owner = await signUp();
    const { sessionId, state } = await savedSession(owner);
    const file = await owner.fetch(address(sessionId, "head", "archive?format=rar"));
    expect([file.status, await file.json()]).toMatchObject([400, { error: { code: "bad_request" } }]);
    const key = partName(sessionId, state.ref.snapshotId, 0);
    const refused = async () => {
      for (const rest of ["archive?format=zip", "archive?format=tar", "file?path=README.md"]) {
        const answer = await owner.fetch(address(sessionId, "head", rest));
        expect([answer.status, await answer.json()]).toMatchObject([422, { error: { code: "snapshot_damaged" } }]);
      }
    };
    // R2 vouches for other bytes than the reference names, then for none at all.
    await env.BUCKET.put(key, new Uint8Array(state.ref.parts[0]?.bytes ?? 0));
    await refused();
    await env.BUCKET.delete(key);
    await refused();
  });

  it("[SN10] breaks off, and is never whole, when a block in the middle is damaged", async () => {
    const owner = await signUp();
    const { sessionId } = await savedSession(owner, "t", TREE, damageMiddle);
    for (const rest of ["archive?format=zip", "archive?format=tar", "file?path=large.bin"]) {
      const answer = await owner.fetch(address(sessionId, "head", rest));
      expect(answer.status, rest).toBe(200);
      await expect(answer.arrayBuffer(), rest).rejects.toThrow();
    }
    expect(await textOf(await owner.fetch(address(sessionId, "head", "file?path=README.md")))).toBe("# Hello\n");
  });
});

/** The tables stay whole, and the reference fits. */
async function damageMiddle(ref: SnapshotRef, sessionId: string): Promise<SnapshotRef> {
  const key = partName(sessionId, ref.snapshotId, 0);
  const bytes = new Uint8Array(await (await env.BUCKET.get(key))!.arrayBuffer());
  bytes[3_000_000] = (bytes[3_000_000] ?? 0) ^ 1;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  await env.BUCKET.put(key, bytes, { sha256 });
  return { ...ref, parts: [{ bytes: bytes.length, sha256 }, ...ref.parts.slice(1)] };
}

describe("one file of a saved state", () => {
  it("[SN10] is a download and never a page", async () => {
    const owner = await signUp();
    const { sessionId, state } = await savedSession(owner);
    const response = await owner.fetch(address(sessionId, "head", "file?path=page.html"));
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename="page.html"; filename*=UTF-8''page.html`,
      "content-length": "25",
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    });
    expect(await textOf(response)).toBe("<script>alert(1)</script>");
    const large = await owner.fetch(address(sessionId, state.ref.snapshotId, "file?path=large.bin"));
    const digest = await crypto.subtle.digest("SHA-256", await large.arrayBuffer());
    const base64url = btoa(String.fromCharCode(...new Uint8Array(digest)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replace("=", "");
    expect(base64url).toBe(state.disk["large.bin"]?.sha256);
    expect(await textOf(await owner.fetch(address(sessionId, "head", `file?path=${encodeURIComponent("ünï cödé.txt")}`)))).toBe("ü");
    expect(await textOf(await owner.fetch(address(sessionId, "head", "file?path=current")))).toBe("#!/bin/sh\n");
    expect((await owner.fetch(address(sessionId, "head", "file?path=empty"))).headers.get("content-length")).toBe("0");
    for (const [path, status] of [
      ["missing", 404],
      ["bin", 404],
      [".git/HEAD", 400],
      ["../x", 400],
      ["", 400],
    ] as const)
      expect((await owner.fetch(address(sessionId, "head", `file?path=${path}`))).status, path).toBe(status);
  });
});

describe("who may download", () => {
  it("is the owner; a state that is not kept is unknown to everybody", async () => {
    const [owner, stranger] = [await signUp("Owner"), await signUp("Stranger")];
    const { sessionId, state } = await savedSession(owner, "t", [write("a", "1")]);
    for (const rest of ["archive?format=zip", "file?path=a"]) {
      const taken = await owner.fetch(address(sessionId, "head", rest));
      expect(taken.status).toBe(200);
      // A browser that goes away.
      await taken.body?.cancel();
      expect((await stranger.fetch(address(sessionId, "head", rest))).status).toBe(404);
      expect((await fetchApp(address(sessionId, "head", rest))).status).toBe(401);
      for (const id of [freshId("snapshot"), "snp_..%2F..", "HEAD"])
        expect((await owner.fetch(address(sessionId, id, rest))).status).toBe(404);
    }
    const { sessionId: other } = await newSession(owner);
    for (const id of ["head", state.ref.snapshotId]) {
      const answer = await owner.fetch(address(other, id, "archive?format=zip"));
      expect([answer.status, await answer.json()]).toMatchObject([404, { error: { code: "not_found" } }]);
    }
  });
});

describe("names of downloads", () => {
  it("hold on any system, and cannot break out of their header", () => {
    expect(fileName('  a/b\\c: "d"\r\n*?<>| \u0000 .. ')).toBe("a b c d");
    expect([fileName(""), fileName("..."), fileName("///")]).toEqual(["session", "session", "session"]);
    expect(fileName("x".repeat(300))).toHaveLength(80);
    expect(attachment('a"b\r\nset-cookie: x.txt')).toBe(
      `attachment; filename="a_b_set-cookie_x.txt"; filename*=UTF-8''a%22b%0D%0Aset-cookie%3A%20x.txt`,
    );
    expect(attachment(".env")).toBe(`attachment; filename="_env"; filename*=UTF-8''.env`);
    expect(attachment(`half ${String.fromCharCode(0xd83d)}`)).toContain("half%20%EF%BF%BD");
  });
});
