/**
 * What the service worker keeps in a browser: the files that the signed-in pages cannot start without, and the offline page.
 * No page with an id, no answer of the server, no part that is loaded on demand.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Plugin, Rollup } from "vite";

/** Beside the entry: the frame and the pages behind it. */
const ROOTS = ["src/shell/SignedInPage.tsx", "src/sessions/SessionsPage.tsx", "src/session-page/SessionPage.tsx"];
/** As they are served: a page without its ending, so that what is kept is no redirect. */
const PUBLIC_FILES = ["/offline", "/offline.js", "/theme.js", "/favicon.svg", "/icon-192.png", "/manifest.webmanifest"];
const FONT = /geist-latin-wght-normal.*\.woff2$/;
const PLACEHOLDER = "__PRECACHE__";

/** Each chunk with all that it imports at once, and their styles. */
export function filesOfShell(bundle: Rollup.OutputBundle, roots: readonly string[] = ROOTS): string[] {
  const files = new Set<string>();
  const visit = (name: string): void => {
    const chunk = bundle[name];
    if (files.has(name) || chunk?.type !== "chunk") return;
    files.add(name);
    for (const style of chunk.viteMetadata?.importedCss ?? []) files.add(style);
    for (const imported of chunk.imports) visit(imported);
  };
  for (const item of Object.values(bundle)) {
    if (item.type === "chunk" && (item.isEntry || roots.some((root) => item.facadeModuleId?.endsWith(`/${root}`) === true)))
      visit(item.fileName);
    if (FONT.test(item.fileName)) files.add(item.fileName);
  }
  return [...files].map((file) => `/${file}`).toSorted();
}

export function serviceWorkerText(template: string, files: readonly string[], publicFolder: string): string {
  const digest = createHash("sha256").update(template).update(files.join("\n"));
  for (const file of PUBLIC_FILES) digest.update(readFileSync(path.join(publicFolder, file === "/offline" ? "offline.html" : file)));
  const precache = { version: digest.digest("hex").slice(0, 16), files: [...PUBLIC_FILES, ...files] };
  return template.replace(PLACEHOLDER, () => JSON.stringify(precache));
}

export function serviceWorker(frontend: string): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      const template = readFileSync(path.join(frontend, "service-worker.js"), "utf8");
      const source = serviceWorkerText(template, filesOfShell(bundle), path.join(frontend, "public"));
      this.emitFile({ type: "asset", fileName: "sw.js", source });
    },
  };
}
