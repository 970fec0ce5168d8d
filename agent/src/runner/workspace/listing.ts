/** What of a session's tree and of the agent's folder is to be saved now. */
import { git } from "./git.ts";
import { at, isRepository, type Tree } from "./origin.ts";
import { AGENT_RULES, pathRules, WORKSPACE_RULES } from "./save-rules.ts";
import { walkTree, type Listing } from "./tree-walk.ts";

export interface Listings {
  workspace: Listing;
  agent: Listing;
}

export async function listForSave(tree: Tree, claudeDir: string): Promise<Listings> {
  const rules = tree.isInPlace ? pathRules(await keptByGit(tree)) : WORKSPACE_RULES;
  const [workspace, agent] = await Promise.all([walkTree(tree.root, rules), walkTree(claudeDir, AGENT_RULES)]);
  return { workspace, agent };
}

/** Paths that are tracked, or new and not ignored; null without a repository. */
export async function keptByGit(tree: Tree): Promise<ReadonlySet<string> | null> {
  if (!(await isRepository(tree))) return null;
  const listed = await git(["ls-files", "-co", "--exclude-standard", "-z"], at(tree));
  return listed.ok ? new Set(listed.stdout.split("\0").filter((name) => name !== "")) : null;
}
