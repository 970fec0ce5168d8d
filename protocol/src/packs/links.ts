/**
 * Whether a symbolic link stays inside its tree. Pure: it follows the names of the tree itself, other links included,
 * so that a chain of harmless-looking links cannot add up to a way out.
 */

/** The system refuses to follow a longer chain (or a loop), so that one leads nowhere. */
const MAX_LINK_HOPS = 40;

/** `targetOf` gives the target of a link in the tree by its path, undefined for everything else. */
export function staysInside(linkPath: string, target: string, targetOf: (path: string) => string | undefined): boolean {
  if (target.startsWith("/") || target.includes("\0") || target === "") return false;
  const at = linkPath.split("/").slice(0, -1);
  const rest = target.split("/");
  let hops = 0;
  while (rest.length > 0) {
    const name = rest.shift();
    if (name === undefined || name === "" || name === ".") continue;
    if (name === "..") {
      if (at.pop() === undefined) return false;
      continue;
    }
    at.push(name);
    const next = targetOf(at.join("/"));
    if (next === undefined) continue;
    hops += 1;
    if (next.startsWith("/")) return false;
    if (hops > MAX_LINK_HOPS) return true;
    at.pop();
    rest.unshift(...next.split("/"));
  }
  return true;
}
