/**
 * `npm run test:container`: prepares an engine and the images, drives real containers, and leaves nothing of its own running.
 * Where no engine can be had it says why, and ends with success: what was skipped is named, and nothing is claimed.
 *
 *   --keep   leave the engine running, for the next run to be quick
 */
import { parseArgs } from "node:util";
import { runStep } from "../test/steps.ts";
import { prepareEngine, type Engine } from "./engine.ts";
import { ensureImages, type Images } from "./images.ts";

const say = (text: string): void => console.log(text);

/** What only a deployed account proves, said each time so that a green run is not taken for more than it is. */
const NOT_PROVEN =
  "Not proven here: Cloudflare's own base image, interception of what leaves a sandbox, instance sizes. See docs/container.md.";

async function test(engine: Engine, images: Images): Promise<number> {
  const setting = JSON.stringify({ gateway: engine.gateway, ...images });
  const command = ["vitest", "run", "--project", "container"];
  const result = await runStep({ name: "container tests", command, env: { AIDEV_CONTAINER_SETTING: setting } }, (text) =>
    process.stdout.write(text),
  );
  return result.ok ? 0 : 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { keep: { type: "boolean", default: false } } });
  say("Preparing a container engine");
  const prepared = await prepareEngine();
  if (!prepared.ok) {
    say(`SKIPPED: the container tests did not run, because ${prepared.reason}`);
    return 0;
  }
  const { engine } = prepared;
  try {
    const exitCode = await test(engine, await ensureImages(engine, say));
    say(NOT_PROVEN);
    return exitCode;
  } finally {
    if (!values.keep) await engine.stop();
  }
}

process.exitCode = await main();
