/** Assembles what is uploaded to Pages: the built files, the routes that go on to the Worker, and the function that takes them there. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type SourceConfig, pagesConfig, pagesRoutes } from "./config-file.ts";
import type { Names } from "./plan.ts";

/** Returns the folder to run `wrangler pages` in. */
export function assemblePages(root: string, source: SourceConfig, names: Names, folder = path.join(root, "dist/pages")): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const site = path.join(folder, "site");
  cpSync(path.join(root, "dist/client"), site, { recursive: true });
  cpSync(path.join(root, "pages/functions"), path.join(folder, "functions"), { recursive: true });
  const write = (file: string, value: unknown) => writeFileSync(path.join(folder, file), `${JSON.stringify(value, null, 2)}\n`);
  write("site/_routes.json", pagesRoutes(source));
  write("wrangler.json", pagesConfig(source, names));
  // wrangler takes the nearest package.json as the project's root.
  write("package.json", { name: names.pages, private: true, type: "module" });
  return folder;
}
