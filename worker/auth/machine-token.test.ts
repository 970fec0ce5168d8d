import { expect, it } from "vitest";
import { machineTokenHash, newMachineToken } from "./machine-token.ts";

it("[MA5] makes tokens that it knows again, and refuses what was altered without a look at the database", async () => {
  const token = newMachineToken();
  expect(token).toMatch(/^adpc_[\w-]{51}$/);
  expect(await machineTokenHash(token)).toMatch(/^[0-9a-f]{64}$/);
  const altered = `adpc_${token[5] === "A" ? "B" : "A"}${token.slice(6)}`;
  for (const other of [altered, token.slice(1), `${token}0`, "", "adpc_", token.toUpperCase()])
    expect(await machineTokenHash(other)).toBeNull();
});
