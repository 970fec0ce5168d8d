/** Builds the web app into dist/client, where its sources changed since the last time. */
import { buildFrontend, StartError } from "../start/server.ts";

try {
  buildFrontend();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
