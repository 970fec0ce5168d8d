/** /api/allowed-hosts: what all sandboxes of a user may reach beyond each session's own setting. */
import type { AllowedHostBody } from "@ai-dev-platform/protocol/http";
import { MAX_NETWORK_HOSTS } from "@ai-dev-platform/protocol/limits";
import { hostPatternSchema } from "@ai-dev-platform/protocol/network";
import { Hono } from "hono";
import { addAllowedHost, deleteAllowedHost, findAllowedHost, listAllowedHosts, type AllowedHostRow } from "../db/allowed-hosts.ts";
import { canBeAllowed } from "../egress/policy.ts";
import { AppError } from "../errors.ts";
import { requireUser, type AppContext, type AppEnv } from "../middleware/auth.ts";

export const networkRoutes = new Hono<AppEnv>();

networkRoutes.get("/api/allowed-hosts", requireUser, async (c) => {
  const rows = await listAllowedHosts(c.env.DB, c.get("user").userId);
  return c.json({ hosts: rows.map(toBody) });
});

networkRoutes.put("/api/allowed-hosts/:host", requireUser, async (c) => {
  const { userId } = c.get("user");
  const host = hostInPath(c);
  if (!canBeAllowed(host.replace(/^\*\./, ""))) throw new AppError("host_never_allowed");
  if (!(await addAllowedHost(c.env.DB, userId, host, Date.now())))
    throw new AppError("bad_request", { detail: `At most ${MAX_NETWORK_HOSTS} hosts. Remove one first.` });
  const row = await findAllowedHost(c.env.DB, userId, host);
  if (row === null) throw new AppError("not_found");
  return c.json(toBody(row));
});

networkRoutes.delete("/api/allowed-hosts/:host", requireUser, async (c) => {
  if (!(await deleteAllowedHost(c.env.DB, c.get("user").userId, hostInPath(c)))) throw new AppError("not_found");
  return c.body(null, 204);
});

function hostInPath(c: AppContext): string {
  const parsed = hostPatternSchema.safeParse(c.req.param("host"));
  if (!parsed.success) throw new AppError("bad_request", { detail: "host: a host name such as example.com or *.example.com" });
  return parsed.data;
}

const toBody = ({ host, createdAt }: AllowedHostRow): AllowedHostBody => ({ host, createdAt });
