/**
 * What a page may weigh, and what of a build counts for it: everything that the page's own modules import without being
 * asked to later. Pure: the caller brings the manifest and the sizes. Bytes are gzipped; a KB is 1,024 of them.
 */
import * as z from "zod";

export const manifestSchema = z.record(
  z.string(),
  z.object({ file: z.string(), imports: z.array(z.string()).default([]), css: z.array(z.string()).default([]) }),
);
export type Manifest = z.infer<typeof manifestSchema>;

export interface Page {
  name: string;
  /** The modules that show it: the entry, and the parts that are loaded at once for its address. */
  roots: string[];
  maxScriptKb: number;
}

const ENTRY = "index.html";
const FRAME = "src/shell/SignedInPage.tsx";
export const PAGES: Page[] = [
  { name: "session list", roots: [ENTRY, FRAME, "src/sessions/SessionsPage.tsx"], maxScriptKb: 110 },
  { name: "settings", roots: [ENTRY, FRAME, "src/settings/SettingsPage.tsx"], maxScriptKb: 130 },
  { name: "shared session", roots: [ENTRY, "src/share/SharePage.tsx", "src/share/SharedView.tsx"], maxScriptKb: 140 },
  { name: "session", roots: [ENTRY, FRAME, "src/session-page/SessionPage.tsx"], maxScriptKb: 180 },
];
/** Styles of any one page. */
export const MAX_STYLE_KB = 14;
export const MAX_WORKER_KB = 600;

export interface Weighed {
  what: string;
  kb: number;
  maxKb: number;
}

/** The files that a page cannot start without. A root that the build does not know is a mistake here, not zero bytes. */
export function initialFiles(manifest: Manifest, roots: string[]): { scripts: string[]; styles: string[] } {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const chunk = manifest[name];
    if (chunk === undefined) throw new Error(`The build has no part named ${name}: correct PAGES in scripts/test/budgets.ts.`);
    for (const imported of chunk.imports) visit(imported);
  };
  for (const root of roots) visit(root);
  const chunks = [...seen].map((name) => manifest[name]).filter((chunk) => chunk !== undefined);
  const unique = (files: string[]) => [...new Set(files)].sort();
  return { scripts: unique(chunks.map(({ file }) => file)), styles: unique(chunks.flatMap(({ css }) => css)) };
}

export function weighPages(manifest: Manifest, gzipBytes: (file: string) => number, pages = PAGES): Weighed[] {
  const kb = (files: string[]) => files.reduce((sum, file) => sum + gzipBytes(file), 0) / 1_024;
  return pages.flatMap(({ name, roots, maxScriptKb }) => {
    const { scripts, styles } = initialFiles(manifest, roots);
    return [
      { what: `${name}: scripts`, kb: kb(scripts), maxKb: maxScriptKb },
      { what: `${name}: styles`, kb: kb(styles), maxKb: MAX_STYLE_KB },
    ];
  });
}

export const isOver = ({ kb, maxKb }: Weighed): boolean => kb > maxKb;

export const report = (weighed: Weighed[]): string =>
  weighed.map((item) => `${isOver(item) ? "OVER" : "ok  "} ${item.what}: ${item.kb.toFixed(1)} of ${item.maxKb} KB`).join("\n");
