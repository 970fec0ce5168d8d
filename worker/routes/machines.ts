/** /api/machines: computers that run sessions. /machine/control: the socket by which one of the operator's connects. */
import { Hono } from "hono";
import { machineIdSchema } from "@ai-dev-platform/protocol/ids";
import { listMachines } from "../db/machines.ts";
import { readSecret } from "../env.ts";
import { AppError } from "../errors.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { secretsEqual } from "../shares/link-secret.ts";
import { bearerToken, requireUpgrade } from "./socket-door.ts";

export const machinesRoutes = new Hono<AppEnv>();

machinesRoutes.get("/api/machines", requireUser, async (c) => c.json({ machines: await listMachines(c.env.DB, c.get("user").userId) }));

machinesRoutes.get("/machine/control", async (c) => {
  const token = bearerToken(c.req.raw);
  if (token === null || !(await secretsEqual(token, readSecret(c.env, "MACHINE_TOKEN")))) {
    throw new AppError("not_signed_in", { detail: "The machine token is missing or wrong." });
  }
  const machineId = machineIdSchema.safeParse(c.req.query("machine"));
  if (!machineId.success) throw new AppError("bad_request", { detail: "machine: not a machine id" });
  requireUpgrade(c.req.raw);
  return c.env.MACHINE.getByName(machineId.data).fetch(c.req.raw);
});
