/**
 * Saved states for tests in workerd, written by the agent's own code on a real disk: the far end of http://packs.test.
 * A history is rounds of edits, each followed by a save; the answer has every pack, each state's reference, and what the
 * disk held then.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { zstdCompressSync } from "node:zlib";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { savePack } from "../../../agent/src/runner/workspace/packs/save-pack.ts";
import { decodeIndex, encodeIndex, type TreeIndex } from "../../../agent/src/runner/workspace/packs/tree-index.ts";
import { AGENT_RULES, WORKSPACE_RULES } from "../../../agent/src/runner/workspace/save-rules.ts";
import { walkTree } from "../../../agent/src/runner/workspace/tree-walk.ts";
import { noise } from "../../../agent/src/runner/testing/noise.ts";
import type { DiskEntry, Edit, HistoryRequest, SavedHistory } from "../saved-history.ts";

/** POST / writes a history; POST /unpack/zip and /unpack/tar unpack an archive with the system's own tools. */
export async function answerPacks(request: Request): Promise<Response> {
  const [, what, format] = new URL(request.url).pathname.split("/");
  if (what === "compress") return new Response(new Uint8Array(zstdCompressSync(Buffer.from(await request.arrayBuffer()))));
  const scratch = mkdtempSync(path.join(tmpdir(), "saved-packs-"));
  try {
    if (what === "unpack") return Response.json(unpacked(scratch, format ?? "", Buffer.from(await request.arrayBuffer())));
    const body: HistoryRequest = await request.json();
    return Response.json(await writeHistory(scratch, body));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function unpacked(scratch: string, format: string, archive: Buffer): Record<string, DiskEntry> {
  const [file, into] = [path.join(scratch, `archive.${format}`), path.join(scratch, "unpacked")];
  writeFileSync(file, archive);
  mkdirSync(into);
  if (format === "tar") execFileSync("tar", ["--same-permissions", "-xf", file, "-C", into]);
  else execFileSync("unzip", ["-q", file, "-d", into]);
  return diskOf(into);
}

async function writeHistory(scratch: string, { snapshotIds, rounds }: HistoryRequest): Promise<SavedHistory> {
  const [workspace, agent] = [path.join(scratch, "work"), path.join(scratch, "agent")];
  mkdirSync(workspace);
  mkdirSync(agent);
  const history: SavedHistory = { states: [], packs: {} };
  let previous: TreeIndex | null = null;
  for (const [n, edits] of rounds.entries()) {
    const snapshotId = snapshotIds[n] ?? "";
    for (const edit of edits) apply(workspace, edit);
    writeFileSync(path.join(agent, "history.jsonl"), `what was said ${n}\n`, { flag: "a" });
    const into = path.join(scratch, `packs-${n}`);
    mkdirSync(into);
    const packed = await savePack({
      snapshotId,
      workspace: { root: workspace, listing: await walkTree(workspace, WORKSPACE_RULES) },
      agent: { root: agent, listing: await walkTree(agent, AGENT_RULES) },
      meta: "{}",
      into,
      previous,
      now: Date.now(),
    });
    for (const pack of packed.packs) history.packs[pack.name] = readFileSync(pack.file).toString("base64");
    history.states.push({ ref: refOf(snapshotId, snapshotIds[n - 1] ?? null, packed), disk: diskOf(workspace) });
    previous = decodeIndex(encodeIndex(packed.index));
  }
  return history;
}

function refOf(snapshotId: string, parentId: string | null, packed: Awaited<ReturnType<typeof savePack>>): SnapshotRef {
  const inherited = packed.inherited.map(({ name, bytes, sha256 }) => {
    const [of = "", part = ""] = name.split("/");
    return { snapshotId: of, part: Number(part), bytes, sha256 };
  });
  const parts = packed.packs.map(({ bytes, sha256 }) => ({ bytes, sha256 }));
  const { treeBytes, treeFiles, leftOut } = packed;
  return { snapshotId, parentId, format: 2, parts, inherited, dependencies: [], treeBytes, treeFiles, leftOut };
}

function apply(root: string, edit: Edit): void {
  const full = path.join(root, edit.path);
  mkdirSync(path.dirname(full), { recursive: true });
  if (edit.do !== "folder") rmSync(full, { recursive: true, force: true });
  if (edit.do === "folder") mkdirSync(full, { recursive: true });
  if (edit.do === "link") symlinkSync(edit.target, full);
  if (edit.do === "noise") writeFileSync(full, noise(edit.bytes, edit.seed));
  if (edit.do !== "write") return;
  writeFileSync(full, edit.text);
  chmodSync(full, edit.mode ?? 0o644);
}

function diskOf(root: string, at = ""): Record<string, DiskEntry> {
  const found: Record<string, DiskEntry> = {};
  for (const entry of readdirSync(path.join(root, at), { withFileTypes: true })) {
    const name = at === "" ? entry.name : `${at}/${entry.name}`;
    const full = path.join(root, name);
    const kind = entry.isDirectory() ? "folder" : entry.isSymbolicLink() ? "link" : "file";
    const content = kind === "file" ? readFileSync(full) : null;
    found[name] = {
      kind,
      mode: lstatSync(full).mode & 0o777,
      bytes: content?.length ?? 0,
      sha256: content === null ? "" : createHash("sha256").update(content).digest("base64url"),
      target: kind === "link" ? readlinkSync(full) : "",
    };
    if (kind === "folder") Object.assign(found, diskOf(root, name));
  }
  return found;
}
