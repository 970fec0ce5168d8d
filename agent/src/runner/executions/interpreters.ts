/** Which program runs a language here, and how it is called (SPEC EX8). What is looked for is looked for in the program's own PATH. */
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import type { ExecutionLanguage } from "@ai-dev-platform/protocol/execution-words";

export interface Interpreter {
  /** Of the file that the code is put into. */
  fileName: string;
  /** The program and its arguments, given that file. */
  command(file: string): [string, ...string[]];
}

/**
 * Code in a folder of its own finds the workspace's modules as if it stood in it: what the program itself asks for is looked
 * for from the current folder.
 */
const FROM_WORKSPACE = `data:text/javascript,${encodeURIComponent(`
import { realpathSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
const own = pathToFileURL(realpathSync(process.argv[1])).href;
const parent = pathToFileURL(process.cwd() + "/program.js").href;
registerHooks({
  resolve(name, context, next) {
    if (context.parentURL !== own) return next(name, context);
    if (context.conditions.includes("require")) return next(createRequire(parent).resolve(name), context);
    return next(name, { ...context, parentURL: parent });
  },
});`)}`;

/** The runner's own: it is there, and new enough to leave types away. */
const node = (fileName: string, ...more: string[]): Interpreter => ({
  fileName,
  command: (file) => [process.execPath, "--disable-warning=ExperimentalWarning", ...more, "--import", FROM_WORKSPACE, file],
});

/** Enums and the like too, where this version can. */
const TRANSFORM = "--experimental-transform-types";
const typesFlag = (): string[] => (process.allowedNodeEnvironmentFlags.has(TRANSFORM) ? [TRANSFORM] : []);

/** Null: it is not installed. `language` null: a shell command. */
export function findInterpreter(language: ExecutionLanguage | null, searchPath: string): Interpreter | null {
  const on = (names: readonly string[], fileName: string, ...args: string[]): Interpreter | null => {
    const program = names.map((name) => findProgram(name, searchPath)).find((found) => found !== null) ?? null;
    return program === null ? null : { fileName, command: (file) => [program, ...args, file] };
  };
  switch (language) {
    case null:
    case "bash":
      return on(["bash"], "main.sh");
    case "python":
      return on(["python3", "python"], "main.py");
    case "javascript":
      return node("main.js");
    case "typescript":
      return node("main.ts", ...typesFlag());
    case "ruby":
      return on(["ruby"], "main.rb", "-I", ".");
    case "go":
      return on(["go"], "main.go", "run");
    default:
      return language satisfies never;
  }
}

export function findProgram(name: string, searchPath: string): string | null {
  for (const folder of searchPath.split(path.delimiter)) {
    if (!path.isAbsolute(folder)) continue;
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
