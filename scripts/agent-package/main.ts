/**
 * Writes agent/npm/, the folder that is packed and published as @ai-dev-platform/agent: plain JavaScript for Node 20 and newer,
 * with everything in it but the Agent SDK and the Workers runtime, which the program fetches by itself (agent/src/machine/
 * agent-kit.ts, agent/src/desktop/runtime.ts). Beside the program: the built Worker and web app, for `ai-dev-agent desktop`.
 */
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "vite";
import * as z from "zod";
import { build as buildPlatform } from "../start/server.ts";

const root = path.join(import.meta.dirname, "../..");
export const PACKAGE_FOLDER = path.join(root, "agent/npm");

const manifestSchema = z.object({ name: z.string(), version: z.string(), description: z.string(), license: z.string() });

/** Newer than Node 20. The rest of what the sources use is there. */
const POLYFILL = `Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((yes, no) => ((resolve = yes), (reject = no)));
  return { promise, resolve, reject };
};`;

/** The program alone; `parts` are the further folders that its manifest names. */
export async function writeProgram(folder: string, parts: readonly string[] = []): Promise<{ version: string }> {
  rmSync(folder, { recursive: true, force: true });
  await build({
    configFile: false,
    root: path.join(root, "agent"),
    logLevel: "warn",
    // A module that can also run by itself does not do so from within a bundle.
    define: { "import.meta.main": "false" },
    ssr: { noExternal: true, external: ["@anthropic-ai/claude-agent-sdk"], target: "node" },
    build: {
      ssr: true,
      target: "node20",
      outDir: path.join(folder, "dist"),
      minify: true,
      rollupOptions: {
        input: {
          main: path.join(root, "agent/src/main.ts"),
          runner: path.join(root, "agent/src/runner/main.ts"),
          desktop: path.join(root, "scripts/agent-package/desktop.ts"),
        },
        // One folder: the program finds its runner beside itself.
        output: { entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js", format: "es", intro: POLYFILL },
      },
    },
  });
  const { name, version, description, license } = manifestSchema.parse(
    JSON.parse(readFileSync(path.join(root, "agent/package.json"), "utf8")),
  );
  const manifest = {
    name,
    version,
    description,
    license,
    type: "module",
    bin: { "ai-dev-agent": "dist/main.js" },
    files: ["dist", ...parts],
    engines: { node: ">=20.11" },
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync(path.join(root, "LICENSE"), path.join(folder, "LICENSE"));
  copyFileSync(path.join(root, "docs/machines.md"), path.join(folder, "README.md"));
  chmodSync(path.join(folder, "dist/main.js"), 0o755);
  return { version };
}

/** With the platform that `desktop` runs: what is published. */
export async function writePackage(): Promise<void> {
  await writeProgram(PACKAGE_FOLDER, ["platform"]);
  copyPlatform(path.join(PACKAGE_FOLDER, "platform"));
}

/** What `desktop` serves, laid out as in this repository. */
function copyPlatform(folder: string): void {
  buildPlatform();
  const isWanted = (file: string): boolean => !/\.map$|[\\/]\.vite([\\/]|$)|[\\/]meta([\\/]|$)/.test(path.relative(root, file));
  for (const name of ["dist/client", "dist/worker/index.js", "migrations"])
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true, filter: isWanted });
  writeFileSync(path.join(folder, "wrangler.toml"), withoutTables(readFileSync(path.join(root, "wrangler.toml"), "utf8")));
}

/** Nothing is built on the person's computer, and no container is started there. */
export const withoutTables = (config: string): string =>
  config
    .split(/^(?=\[)/m)
    .filter((table) => !/^\[+(build|containers)\]/.test(table))
    .join("");

if (process.argv[1] === import.meta.filename) await writePackage();
