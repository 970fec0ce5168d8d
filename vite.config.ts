/**
 * The web UI. `vite build` is a plain single-page build into dist/client; wrangler bundles the Worker itself.
 * `vite` (dev) runs the Worker behind Vite; `vite --mode ui` serves the pages alone.
 */
import path from "node:path";
import { cloudflare } from "@cloudflare/vite-plugin";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { serviceWorker } from "./scripts/build-web/precache.ts";

// Local runs need no network: no telemetry, no Request.cf download.
process.env.WRANGLER_SEND_METRICS ??= "false";
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= "false";
const at = (relative: string) => path.join(import.meta.dirname, relative);

/** Preloads the one font file that first paint needs, under its built name. */
function preloadFont(): Plugin {
  return {
    name: "preload-font",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (_html, context) => {
        const font = Object.keys(context.bundle ?? {}).find((name) => /geist-latin-wght-normal.*\.woff2$/.test(name));
        if (font === undefined) return [];
        const attrs = { rel: "preload", as: "font", type: "font/woff2", href: `/${font}`, crossorigin: "" };
        return [{ tag: "link", attrs, injectTo: "head" }];
      },
    },
  };
}

export default defineConfig(({ command, mode, isPreview }) => ({
  root: at("frontend"),
  server: { host: "127.0.0.1", port: Number(process.env.PORT ?? 5173), strictPort: true },
  build: { outDir: at("dist/client"), emptyOutDir: true, manifest: true, target: "es2023", assetsInlineLimit: 0 },
  plugins: [
    react(),
    tailwindcss(),
    preloadFont(),
    serviceWorker(at("frontend")),
    command === "serve" &&
      isPreview !== true &&
      mode !== "ui" &&
      cloudflare({
        configPath: at("wrangler.toml"),
        persistState: { path: at(".wrangler/state") },
        inspectorPort: false,
        remoteBindings: false,
      }),
  ],
}));
