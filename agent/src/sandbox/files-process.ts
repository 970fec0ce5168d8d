/**
 * Process entry: the workspace of a sandbox, worked on as the agent's user. Git, hydration, saves and file views happen here,
 * so that nothing in a repository (a filter, a link, a special file) ever runs or is read with the runner's rights.
 */
import { openWorkspace, type Workspace } from "../runner/workspace/workspace.ts";
import { requestSchema, type Answer, type Call, type Message } from "./files-messages.ts";

let workspace: Workspace | null = null;

function tell(message: Message): void {
  process.send?.(message);
}

async function open(call: Extract<Call, { name: "open" }>): Promise<Answer<"open">> {
  const { name: _, ...options } = call;
  const opened = await openWorkspace({
    ...options,
    allowedPaths: [],
    onProgress: (step, detail) => tell({ type: "progress", step, detail }),
  });
  if (!opened.ok) return opened;
  workspace = opened.workspace;
  return { ok: true, root: workspace.root, claudeDir: workspace.claudeDir, isRestored: workspace.isRestored, warning: workspace.warning };
}

async function carryOut(call: Call): Promise<Answer<Call["name"]>> {
  if (call.name === "open") return open(call);
  if (workspace === null) throw new Error("The workspace is not open.");
  switch (call.name) {
    case "answer":
      return workspace.answer(call.query);
    case "changedFiles":
      return workspace.changedFiles();
    case "hasChangedSinceSave":
      return workspace.hasChangedSinceSave();
    case "save":
      return workspace.save({ asked: call.asked, isLast: call.isLast });
    case "markCommitted":
      await workspace.markCommitted(call.snapshotId);
      return null;
    case "saveDependencies":
      await workspace.saveDependencies();
      return null;
    case "restoreDependencies":
      return workspace.restoreDependencies();
    case "beginExecution":
      return workspace.beginExecution(call.executionId, call.files);
    case "endExecution":
      return workspace.endExecution(call.executionId);
  }
}

async function onRequest(raw: unknown): Promise<void> {
  const { id, call } = requestSchema.parse(raw);
  try {
    tell({ type: "done", id, value: await carryOut(call) });
  } catch (error) {
    tell({ type: "broke", id, detail: error instanceof Error ? error.message : String(error) });
  }
}

// Node opens its debugger at this signal, and the agent may send it: same user.
process.on("SIGUSR1", () => undefined);
process.on("message", (raw) => void onRequest(raw));
// The runner is gone: nobody is left to work for.
process.on("disconnect", () => process.exit(0));
