/** The platform with real containers: the local runtime, the product's own image, the scripted model. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { type ModelServer, startModelServer } from "../../scripts/demo-model/server.ts";
import { ensureSecrets } from "../../scripts/start/secrets.ts";
import { build, migrate, type Server, startServer } from "../../scripts/start/server.ts";
import { docker, dockerText, type Setting } from "./setting.ts";

export interface ContainerPlatform {
  url: string;
  model: ModelServer;
  /** Ids of the containers that run the image, newest first. */
  sandboxes(): string[];
  serverLog(): string;
  /** Kills the local runtime without a chance to tidy up, and starts it again on the same data. */
  crashServer(): Promise<void>;
  stop(): Promise<void>;
}

/** How wrangler names the images that it builds for a local run. */
const IMAGE_PREFIX = " cloudflare-dev/sandbox";

const freePort = (address: string): Promise<number> =>
  new Promise((resolve) => {
    const probe = net.createServer();
    probe.listen(0, address, () => {
      const bound = probe.address();
      probe.close(() => resolve(typeof bound === "object" && bound !== null ? bound.port : 0));
    });
  });

const shim = path.join(import.meta.dirname, "../../scripts/container/docker-shim.sh");

/** Containers that came since `before`: what the runtime leaves behind is removed, and nothing else. */
const containersNow = (): Set<string> => new Set(dockerText("ps", "-aq", "--no-trunc").split("\n").filter(Boolean));

export async function startContainerPlatform(setting: Setting, environment: Record<string, string> = {}): Promise<ContainerPlatform> {
  build();
  const before = containersNow();
  const dataDir = mkdtempSync(path.join(os.tmpdir(), "adp-c-"));
  const model = await startModelServer({ port: 0, paceMs: 0 });
  const { secrets } = ensureSecrets(dataDir);
  migrate(path.join(dataDir, "state"));
  const port = await freePort(setting.gateway);
  const url = `http://${setting.gateway}:${port}`;
  const options = {
    port,
    dataDir,
    address: setting.gateway,
    environment: {
      ...secrets,
      // The engine's network has no interception: runners dial the address, with the tokens of their incarnation.
      PUBLIC_ORIGIN: url,
      SANDBOXES: "on",
      SANDBOX_DIALS: "public",
      SIGN_UP: "open",
      LOCAL_PATHS: "false",
      DEMO_MODEL_URL: "",
      ANTHROPIC_UPSTREAM: model.url,
      ...environment,
    },
    containers: {
      WRANGLER_DOCKER_BIN: shim,
      MINIFLARE_CONTAINER_EGRESS_IMAGE: setting.sidecar,
      AIDEV_TEST_BASE: setting.base,
    },
  };
  let server: Server = await startServer(options);
  return {
    url,
    model,
    sandboxes() {
      const listed = dockerText("ps", "--no-trunc", "--format", "{{.ID}} {{.Image}}").split("\n");
      const ids = listed.filter((line) => line.includes(IMAGE_PREFIX)).map((line) => line.slice(0, line.indexOf(" ")));
      return ids.filter((id) => !before.has(id));
    },
    serverLog: () => readFileSync(path.join(dataDir, "server.log"), "utf8"),
    async crashServer() {
      await server.stop("SIGKILL");
      server = await startServer(options);
    },
    async stop() {
      await server.stop();
      await model.close();
      for (const id of containersNow()) if (!before.has(id)) docker(["rm", "-f", id]);
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}
