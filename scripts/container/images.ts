/**
 * The images of the container tests: a base made of Debian and this computer's Node, the product's own image on top
 * of it, and the stand-in sidecar. Each is made again only when what it consists of changed.
 */
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "vite";
import { bundleRunner } from "./bundle.ts";
import { containerDir, engineEnvironment, run, type Engine } from "./engine.ts";

const root = path.join(import.meta.dirname, "../..");
const SUITE = "bookworm";
/** Of what the real base brings, what the product relies on. */
const BASE_PACKAGES = ["ca-certificates", "curl", "file", "git", "jq", "procps", "unzip", "wget", "zip"];

export const DEBIAN_IMAGE = "ai-dev-platform/test-debian:bookworm";
export const SANDBOX_IMAGE = "ai-dev-platform/test-sandbox:latest";

export interface Images {
  base: string;
  sandbox: string;
  sidecar: string;
}

export type Say = (text: string) => void;

const has = (engine: Engine, image: string): boolean => engine.docker(["images", "-q", image]).trim() !== "";

/** A system tree by debootstrap, kept between runs: it is the slow part. */
function ensureDebian(engine: Engine, say: Say): void {
  if (has(engine, DEBIAN_IMAGE)) return;
  const tree = path.join(containerDir(), "rootfs");
  if (!existsSync(tree)) {
    say(`Making a Debian ${SUITE} system tree (about a minute, once)`);
    rmSync(`${tree}.part`, { recursive: true, force: true });
    run("nice", ["debootstrap", "--variant=minbase", `--include=${BASE_PACKAGES.join(",")}`, SUITE, `${tree}.part`]);
    renameSync(`${tree}.part`, tree);
  }
  run("sh", ["-c", `tar -C "$TREE" -c . | docker import - ${DEBIAN_IMAGE}`], {
    env: { ...engineEnvironment(), TREE: tree },
  });
}

async function bundleSidecar(outDir: string): Promise<void> {
  await build({
    configFile: false,
    root,
    logLevel: "warn",
    ssr: { noExternal: true, target: "node" },
    build: {
      ssr: path.join(import.meta.dirname, "stand-in/sidecar.ts"),
      target: "node24",
      outDir,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: "sidecar.mjs", format: "es" } },
    },
  });
}

/** Builds from a folder, unless the same folder's image is there. */
function ensureImage(engine: Engine, name: string, folder: string, dockerfile: string, inputs: string[]): string {
  const hash = createHash("sha256").update(dockerfile);
  for (const input of inputs) hash.update(readFileSync(path.join(folder, input)));
  const image = `ai-dev-platform/${name}:${hash.digest("hex").slice(0, 12)}`;
  if (has(engine, image)) return image;
  writeFileSync(path.join(folder, "Dockerfile"), dockerfile);
  engine.docker(["build", "--quiet", "-t", image, folder]);
  return image;
}

/** npm as it comes with Node: beside the program in an installation, else where the npm that runs this script lies. */
function npmFolder(): string {
  const fromRunning = process.env["npm_execpath"] === undefined ? [] : [path.join(process.env["npm_execpath"], "../..")];
  const candidates = [...fromRunning, "/usr/lib/node_modules/npm", "/usr/local/lib/node_modules/npm"];
  const found = candidates.find((folder) => existsSync(path.join(folder, "bin/npm-cli.js")));
  if (found === undefined) throw new Error("npm was not found; run this through `npm run`");
  return found;
}

const BASE_DOCKERFILE = `FROM ${DEBIAN_IMAGE}
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s /usr/local/lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s /usr/local/lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
COPY authorities.crt /etc/ssl/certs/ca-certificates.crt
RUN mkdir -p /usr/local/etc && echo 'cafile=/etc/ssl/certs/ca-certificates.crt' > /usr/local/etc/npmrc
`;
const SIDECAR_DOCKERFILE = `FROM ${DEBIAN_IMAGE}
COPY node /usr/local/bin/node
COPY sidecar.mjs /sidecar.mjs
ENTRYPOINT ["node","/sidecar.mjs"]
`;

/** The base is another one where the environment names it: an engine that can pull uses Cloudflare's own. */
async function ensureBase(engine: Engine, say: Say): Promise<string> {
  const named = process.env["AIDEV_CONTAINER_BASE"];
  if (named !== undefined && named !== "") return named;
  ensureDebian(engine, say);
  const folder = path.join(containerDir(), "base");
  mkdirSync(folder, { recursive: true });
  copyFileSync(process.execPath, path.join(folder, "node"));
  cpSync(npmFolder(), path.join(folder, "npm"), { recursive: true, force: true });
  // Whom this computer trusts: the build may go through a proxy that signs for the registry.
  copyFileSync("/etc/ssl/certs/ca-certificates.crt", path.join(folder, "authorities.crt"));
  return ensureImage(engine, "test-base", folder, BASE_DOCKERFILE, ["authorities.crt", "node", "npm/package.json"]);
}

async function ensureSidecar(engine: Engine, say: Say): Promise<string> {
  ensureDebian(engine, say);
  const folder = path.join(containerDir(), "sidecar");
  mkdirSync(folder, { recursive: true });
  await bundleSidecar(folder);
  copyFileSync(process.execPath, path.join(folder, "node"));
  return ensureImage(engine, "test-sidecar", folder, SIDECAR_DOCKERFILE, ["sidecar.mjs", "node"]);
}

export async function ensureImages(engine: Engine, say: Say): Promise<Images> {
  const base = await ensureBase(engine, say);
  const sidecar = await ensureSidecar(engine, say);
  say("Bundling the runner and building agent/Dockerfile");
  await bundleRunner();
  // The host's network for the build alone: this engine forwards nothing, and packages have to come from somewhere.
  engine.docker(["build", "--network", "host", "--build-arg", `BASE=${base}`, "-t", SANDBOX_IMAGE, path.join(root, "agent")]);
  return { base, sandbox: SANDBOX_IMAGE, sidecar };
}
