/**
 * Writes the machine's program beside the web app, as a package that npx takes by its address: every platform serves the version
 * that belongs to it, also where the package is in no registry. Its name holds a digest, as npx keeps what it fetched by name.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { packTar } from "modern-tar";
import { writeProgram } from "./main.ts";

const served = path.join(import.meta.dirname, "../../dist/client");
/** The same bytes for the same program. */
const PACKED_AT = new Date(Date.UTC(1985, 9, 26, 8, 15));

const folder = mkdtempSync(path.join(tmpdir(), "agent-served-"));
try {
  const { version } = await writeProgram(folder);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, "/")).toSorted();
  const entries = names.map((name) => {
    const body = readFileSync(path.join(folder, name));
    const mode = name === "dist/main.js" ? 0o755 : 0o644;
    return { header: { name: `package/${name}`, type: "file" as const, size: body.length, mode, mtime: PACKED_AT }, body };
  });
  const packed = gzipSync(await packTar(entries), { level: 9 });
  const file = `ai-dev-agent-${version}-${createHash("sha256").update(packed).digest("hex").slice(0, 12)}.tgz`;
  writeFileSync(path.join(served, file), packed);
  writeFileSync(path.join(served, "ai-dev-agent.json"), `${JSON.stringify({ file })}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
