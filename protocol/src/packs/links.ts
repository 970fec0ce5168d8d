/**
 * Whether a symbolic link stays inside its tree. Pure: it follows the names of the tree itself, other links included,
 * so that a chain of harmless-looking links cannot add up to a way out.
 */

/** The system refuses to follow a longer chain (or a loop), so that one leads nowhere. */
const MAX_LINK_HOPS = 40;
/** No tree is deeper (`judge-tree.ts`): below it there is no link to be followed. */
const MAX_DEPTH = 64;
/** More names than the longest chain of the longest targets has. */
const MAX_STEPS_OF_A_LINK = 100_000;

/** Names that may still be followed, for one link or for all of a tree together: hostile chains can be made to cost hours. */
export interface LinkSteps {
  left: number;
}

/** `targetOf` gives the target of a link in the tree by its path, undefined for everything else. */
export function staysInside(
  linkPath: string,
  target: string,
  targetOf: (path: string) => string | undefined,
  steps: LinkSteps = { left: MAX_STEPS_OF_A_LINK },
): boolean {
  if (target.startsWith("/") || target.includes("\0") || target === "") return false;
  const at = linkPath.split("/").slice(0, -1);
  // The next name stands last.
  const rest = target.split("/").toReversed();
  let hops = 0;
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    steps.left -= 1;
    if (steps.left < 0) return false;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (at.pop() === undefined) return false;
      continue;
    }
    at.push(name);
    const next = at.length > MAX_DEPTH ? undefined : targetOf(at.join("/"));
    if (next === undefined) continue;
    hops += 1;
    if (next.startsWith("/")) return false;
    if (hops > MAX_LINK_HOPS) return true;
    at.pop();
    for (const part of next.split("/").toReversed()) rest.push(part);
  }
  return true;
}
