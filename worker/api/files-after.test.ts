import { expect, it } from "vitest";
import type { ChangedFile } from "@ai-dev-platform/protocol/events";
import { FilesAfter } from "./files-after.ts";

const file = (path: string, additions = 1): ChangedFile => ({ path, status: "added", additions, deletions: 0 });
const told = (files: ChangedFile[]) => ({ type: "files_changed", base: "b", files }) as const;
const tool = { type: "tool", toolId: "t", tool: "Bash", subject: "", state: "started" } as const;
const next = { type: "turn_started", turnId: "trn_2", promptId: "prm_2" } as const;

it("[CA28] takes what is told after the end, less what was so before", () => {
  const files = new FilesAfter();
  files.begin([file("old"), file("grown", 1)]);
  expect(files.changed([file("a")])).toEqual([file("a")]);
  files.take(told([file("old"), file("grown", 2), file("new")]));
  expect(files.changed([])).toEqual([file("grown", 2), file("new")]);
});

it("[CA28] does not take another turn's", async () => {
  const files = new FilesAfter();
  files.take(next);
  files.take(told([file("theirs")]));
  files.note([tool]);
  await files.settle({ query: async () => ({ kind: "changes", base: "b", files: [file("theirs")] }) });
  expect(files.changed([])).toEqual([]);
});

it("[CA28] asks the workspace where tools were used and nothing was told, and nobody else", async () => {
  const asked: string[] = [];
  const workspace = {
    query: async () => {
      asked.push("changes");
      return { kind: "changes" as const, base: "b", files: [file("b.txt")] };
    },
  };
  const idle = new FilesAfter();
  await idle.settle(workspace);
  expect(asked).toEqual([]);
  const files = new FilesAfter();
  files.note([tool]);
  await files.settle(workspace);
  expect(files.changed([])).toEqual([file("b.txt")]);
  const alone = new FilesAfter();
  alone.note([tool]);
  await alone.settle({ query: async () => Promise.reject(new Error("gone")) });
  expect(alone.changed([file("a")])).toEqual([file("a")]);
});
