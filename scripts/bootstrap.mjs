/**
 * What every command does first, on whatever Node runs it (20 or newer): install the locked dependencies when they are
 * missing or out of date, then hand over to the Node that npm brought, which runs TypeScript as it is.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

export const root = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "..");
const at = (/** @type {string} */ relative) => path.join(root, relative);
const STAMP = at("node_modules/.installed-lock");
/** TypeScript without a flag. */
const OLDEST_NODE = { major: 22, minor: 19 };

function stop(/** @type {string} */ message) {
  console.error(`\n${message}\n`);
  process.exit(1);
}

const lockDigest = () =>
  createHash("sha256")
    .update(readFileSync(at("package-lock.json")))
    .digest("hex");

// `install`, not `ci`: the lock names the platform builds that were to be had when it was written, and `ci` refuses to
// add another platform's. Versions are exact in package.json and the lock either way.
function installIfNeeded() {
  const lock = createHash("sha256")
    .update(readFileSync(at("package-lock.json")))
    .digest("hex");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === lock) return;
  console.log("Installing dependencies (once; about 400 MB, most of it the coding agent) …");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const result = spawnSync(npm, ["install", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: root, stdio: "inherit" });
  if (result.error) stop(`npm could not be started (${result.error.message}). Install npm 10 or newer, then run this again.`);
  if (result.status !== 0) stop("npm install failed. The reason stands above; run this again when it is mended. Nothing else was changed.");
  writeFileSync(STAMP, lockDigest());
}

function newerNode() {
  const brought = at("node_modules/.bin/node");
  if (existsSync(brought)) return brought;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor)) return process.execPath;
  return stop(
    `Node ${OLDEST_NODE.major}.${OLDEST_NODE.minor} or newer is needed on this kind of computer (this is ${process.versions.node}). Install it from nodejs.org, then run this again.`,
  );
}

/** Runs a TypeScript entry point with this command's arguments and signals, and exits as it exits. */
export function handOver(/** @type {string} */ entry, { install = true } = {}) {
  if (install) installIfNeeded();
  const node = /** @type {string} */ (newerNode());
  const binaries = at("node_modules/.bin");
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", at(entry), ...process.argv.slice(2)], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: `${binaries}${path.delimiter}${process.env.PATH ?? ""}` },
  });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
