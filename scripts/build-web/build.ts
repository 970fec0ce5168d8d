/** What an upload takes in: the web app in dist/client, where its sources changed, and the runner that the image takes in. */
import { bundleRunner } from "../container/bundle.ts";
import { buildFrontend } from "../start/server.ts";

export async function buildForUpload(): Promise<void> {
  buildFrontend();
  await bundleRunner();
}
