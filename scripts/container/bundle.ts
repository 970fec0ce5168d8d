/**
 * Writes agent/dist/, the build context's changing part: the runner of a sandbox as two plain files, and a lock file that holds
 * the agent's program to the hash which this repository's lock file names.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "vite";
import * as z from "zod";

const root = path.join(import.meta.dirname, "../..");
const OUT = path.join(root, "agent/dist");
/** All that the image installs from the registry: everything else is in the bundle. */
const PROGRAM = "@anthropic-ai/claude-agent-sdk-linux-x64";

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({ version: z.string().optional(), resolved: z.string().optional(), integrity: z.string().optional() }),
  ),
});

/** package.json and package-lock.json of the image. */
export function imageManifests(lockText: string): { manifest: object; lock: object } {
  const entry = lockSchema.parse(JSON.parse(lockText)).packages[`node_modules/${PROGRAM}`];
  if (entry?.version === undefined || entry.integrity === undefined)
    throw new Error(`package-lock.json does not hold ${PROGRAM} to a version and a hash.`);
  const { version, resolved, integrity } = entry;
  const manifest = { name: "ai-dev-runner", version: "0.0.0", private: true, type: "module", dependencies: { [PROGRAM]: version } };
  const lock = {
    name: manifest.name,
    version: manifest.version,
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": { name: manifest.name, version: manifest.version, dependencies: manifest.dependencies },
      [`node_modules/${PROGRAM}`]: { version, resolved, integrity, os: ["linux"], cpu: ["x64"], libc: ["glibc"] },
    },
  };
  return { manifest, lock };
}

export async function bundleRunner(): Promise<void> {
  rmSync(OUT, { recursive: true, force: true });
  await build({
    configFile: false,
    root: path.join(root, "agent"),
    logLevel: "warn",
    // Nothing is left to be found at run time but Node's own modules.
    ssr: { noExternal: true, target: "node" },
    build: {
      ssr: true,
      target: "node24",
      outDir: OUT,
      minify: false,
      rollupOptions: {
        input: {
          main: path.join(root, "agent/src/sandbox/main.ts"),
          files: path.join(root, "agent/src/sandbox/files-process.ts"),
        },
        output: { entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js", format: "es" },
      },
    },
  });
  const { manifest, lock } = imageManifests(readFileSync(path.join(root, "package-lock.json"), "utf8"));
  writeFileSync(path.join(OUT, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(path.join(OUT, "package-lock.json"), `${JSON.stringify(lock, null, 2)}\n`);
}

if (process.argv[1] === import.meta.filename) await bundleRunner();
