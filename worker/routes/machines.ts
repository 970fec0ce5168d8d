/** /api/machines: computers that run sessions. /machine/control: the socket by which one connects, the operator's or a person's. */
import { Hono } from "hono";
import { machineIdSchema } from "@ai-dev-platform/protocol/ids";
import { revokeTokensOfMachine } from "../api/tokens.ts";
import { revokeMachine } from "../db/machine-tokens.ts";
import { controlRequest } from "../hosts/machine/control-sockets.ts";
import { lookAtMachines } from "../hosts/machine/machine-list.ts";
import { AppError } from "../errors.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { judgeDial } from "./machine-door.ts";
import { pathId } from "./owned.ts";
import { requireUpgrade } from "./socket-door.ts";

export const machinesRoutes = new Hono<AppEnv>();

machinesRoutes.get("/api/machines", requireUser, async (c) => c.json({ machines: await lookAtMachines(c.env, c.get("user").userId) }));

machinesRoutes.delete("/api/machines/:id", requireUser, async (c) => {
  await signOutMachine(c.env, pathId(c, machineIdSchema), c.get("user").userId);
  return c.body(null, 204);
});

machinesRoutes.get("/machine/control", async (c) => {
  const machineId = machineIdSchema.safeParse(c.req.query("machine"));
  if (!machineId.success) throw new AppError("bad_request", { detail: "machine: not a machine id" });
  const ownerId = await judgeDial(c, machineId.data);
  requireUpgrade(c.req.raw);
  // Which process it is tells one that dials again from a second computer with the same identity.
  return c.env.MACHINE.getByName(machineId.data).fetch(controlRequest(machineId.data, ownerId, c.req.query("process")));
});

/** The directory first: no socket opens with the token while the open one is closed. SPEC MA6. */
export async function signOutMachine(env: Env, machineId: string, userId: string): Promise<void> {
  if (!(await revokeMachine(env.DB, machineId, userId, Date.now()))) throw new AppError("not_found");
  await revokeTokensOfMachine(env, userId, machineId, Date.now());
  await env.MACHINE.getByName(machineId).revoke();
}
