/** The build command of `wrangler deploy`. */
import { StartError } from "../start/server.ts";
import { buildForUpload } from "./build.ts";

try {
  await buildForUpload();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
