/**
 * Links of a dependency layer that lead out of it: a package of the same workspace (`node_modules/@team/a -> ../../packages/a`).
 * Pure. Only upwards first and downwards then: each step down meets what the workspace itself holds, and that was judged.
 */

/** Whether such a link ends in the workspace, and not in its repository. */
export function staysInWorkspace(layerPath: string, linkPath: string, target: string): boolean {
  if (target === "" || target.startsWith("/") || target.includes("\0")) return false;
  const names = target.split("/").filter((name) => name !== "" && name !== ".");
  const down = names.findIndex((name) => name !== "..");
  if (down < 0 || names.slice(down).includes("..")) return false;
  const above = `${layerPath}/${linkPath}`.split("/").slice(0, -1);
  if (down > above.length) return false;
  return ![...above.slice(0, above.length - down), ...names.slice(down)].includes(".git");
}

/** A virtual environment's interpreter is this computer's own; its links are made anew instead of being kept. */
const INTERPRETER = /^bin\/python[\d.]{0,8}$/;
export const isInterpreter = (layerPath: string, linkPath: string): boolean => layerPath.endsWith(".venv") && INTERPRETER.test(linkPath);
