/** Before a deployment: the web app in dist/client, where its sources changed, and the runner that the image takes in. */
import { bundleRunner } from "../container/bundle.ts";
import { buildFrontend, StartError } from "../start/server.ts";

try {
  buildFrontend();
  await bundleRunner();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
