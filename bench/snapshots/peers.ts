/** The peers: `tar | zstd -3 -T2` and restic, on the same two folders. Neither is given the dependencies. */
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const FOLDERS = ["workspace", "claude"];

export const shell = (script: string, ...values: string[]): Promise<unknown> =>
  run("bash", ["-c", `set -euo pipefail; ${script}`, "bench", ...values], { maxBuffer: 64 * 1_048_576 });

export class Tar {
  readonly file: string;

  constructor(root: string) {
    this.file = path.join(root, "peer.tar.zst");
  }

  /** Bytes written. */
  async save(stateDir: string): Promise<number> {
    await shell('tar -C "$1" --exclude=node_modules -cf - workspace claude | zstd -3 -T2 -q -f -o "$2"', stateDir, this.file);
    return statSync(this.file).size;
  }

  /** With the dependencies: what one archive of everything is. */
  async uploadAll(stateDir: string, url: string): Promise<void> {
    await shell('tar -C "$1" -cf - workspace claude | zstd -3 -T2 -q | curl -sfT - "$2" -o /dev/null', stateDir, url);
  }

  async upload(stateDir: string, url: string): Promise<void> {
    await shell(
      'tar -C "$1" --exclude=node_modules -cf - workspace claude | zstd -3 -T2 -q | curl -sfT - "$2" -o /dev/null',
      stateDir,
      url,
    );
  }

  async send(url: string): Promise<void> {
    await shell('curl -sfT "$1" "$2" -o /dev/null', this.file, url);
  }

  async restore(into: string): Promise<void> {
    await shell('zstd -dc -q "$1" | tar -C "$2" -xf -', this.file, into);
  }

  async download(url: string, into: string): Promise<void> {
    await shell('curl -sf "$1" | zstd -dc -q | tar -C "$2" -xf -', url, into);
  }
}

export class Restic {
  readonly #repository: string;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(root: string) {
    this.#repository = path.join(root, "restic");
    this.#environment = { ...process.env, RESTIC_PASSWORD: "bench", RESTIC_CACHE_DIR: path.join(root, "restic-cache") };
  }

  async init(): Promise<void> {
    rmSync(this.#repository, { recursive: true, force: true });
    mkdirSync(this.#repository);
    await this.#run(["init"], ".");
  }

  async save(stateDir: string): Promise<void> {
    await this.#run(["backup", "--quiet", "--exclude", "node_modules", ...FOLDERS], stateDir);
  }

  async restore(into: string): Promise<void> {
    await this.#run(["restore", "latest", "--target", into], ".");
  }

  /** Objects in its store, and their bytes. */
  size(): { objects: number; bytes: number } {
    const files = readdirSync(this.#repository, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const bytes = files.reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
    return { objects: files.length, bytes };
  }

  async #run(args: readonly string[], cwd: string): Promise<void> {
    await run("restic", ["--repo", this.#repository, ...args], { cwd, env: this.#environment });
  }
}
