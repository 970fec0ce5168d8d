import { expect, it } from "vitest";
import { linkOrigin } from "./origin.ts";

// Only what is read of it.
const envWith = (PUBLIC_ORIGIN: string) => ({ PUBLIC_ORIGIN }) as Env;

it.each([
  ["", "https://dev.example.com/machine/device", "https://dev.example.com"],
  ["https://dev.example.com", "https://worker.example.workers.dev/machine/device", "https://dev.example.com"],
  ["http://localhost:8787", "http://127.0.0.1:8787/machine/device", "http://127.0.0.1:8787"],
  ["http://localhost:8787", "http://localhost:8787/machine/device", "http://localhost:8787"],
])("[MA4] with the public origin %j leads from %s to %s", (publicOrigin, requested, origin) => {
  expect(linkOrigin(envWith(publicOrigin), requested)).toBe(origin);
});
