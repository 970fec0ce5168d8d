import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll } from "vitest";
import { forgetWorlds } from "./session-fakes.ts";

// Runs before every test file: files share one isolate, so each starts from empty storage with the migrations applied.
beforeAll(async () => {
  forgetWorlds();
  await reset();
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
});
