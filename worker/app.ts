/**
 * The front door: what every request passes, in order, and where it goes. No logic of a capability lives here.
 * request id → headers → error translation → origin (for /api) → the route, which asks for a signed-in user or a token itself.
 */
import { Hono } from "hono";
import { apiDoor } from "./api/door.ts";
import { isApiPath, toApiError } from "./api/errors.ts";
import { authRoutes } from "./auth/routes.ts";
import { AppError, toResponse } from "./errors.ts";
import { createLogger, errorFields } from "./log.ts";
import type { AppEnv } from "./middleware/auth.ts";
import { checkOrigin } from "./middleware/origin.ts";
import { requireFeature } from "./middleware/features.ts";
import { requestId } from "./middleware/request-id.ts";
import { secureHeaders } from "./middleware/secure-headers.ts";
import { apiTokensRoutes } from "./routes/api-tokens.ts";
import { openaiRoutes } from "./openai/routes.ts";
import { authorizeRoutes } from "./routes/authorize.ts";
import { browserKeysRoutes } from "./routes/browser-keys.ts";
import { configRoutes } from "./routes/config.ts";
import { deviceRoutes } from "./routes/device.ts";
import { downloadsRoutes } from "./routes/downloads.ts";
import { forksRoutes } from "./routes/forks.ts";
import { gitCredentialsRoutes } from "./routes/git-credentials.ts";
import { gitProxyRoutes } from "./routes/git-proxy.ts";
import { importsRoutes } from "./routes/imports.ts";
import { keysRoutes } from "./routes/keys.ts";
import { llmRoutes } from "./routes/llm.ts";
import { machineSelfRoutes } from "./routes/machine-self.ts";
import { machinesRoutes } from "./routes/machines.ts";
import { mcpRoutes } from "./routes/mcp.ts";
import { meRoutes } from "./routes/me.ts";
import { networkRoutes } from "./routes/network.ts";
import { projectsRoutes } from "./routes/projects.ts";
import { runnerRoutes } from "./routes/runner.ts";
import { sessionsRoutes } from "./routes/sessions.ts";
import { settingsRoutes } from "./routes/settings.ts";
import { sharesRoutes } from "./routes/shares.ts";
import { storageRoutes } from "./routes/storage.ts";
import { codeRoutes } from "./routes/v1-code.ts";
import { executeRoutes } from "./routes/v1-execute.ts";
import { metaRoutes } from "./routes/v1-meta.ts";
import { webhooksRoutes } from "./routes/webhooks.ts";

const log = createLogger("app");
export const app = new Hono<AppEnv>();

app.use(requestId, secureHeaders);
app.use("/api/*", checkOrigin);
app.use("/v1/*", apiDoor, requireFeature("api"));

for (const routes of [configRoutes, authRoutes, meRoutes, settingsRoutes, keysRoutes, mcpRoutes]) app.route("/", routes);
for (const routes of [projectsRoutes, sessionsRoutes, sharesRoutes, machinesRoutes, runnerRoutes, llmRoutes]) app.route("/", routes);
for (const routes of [forksRoutes, networkRoutes, gitCredentialsRoutes, gitProxyRoutes, importsRoutes, storageRoutes])
  app.route("/", routes);
for (const routes of [deviceRoutes, authorizeRoutes, machineSelfRoutes, downloadsRoutes, browserKeysRoutes]) app.route("/", routes);
for (const routes of [apiTokensRoutes, webhooksRoutes]) app.route("/", routes);

app.route("/", openaiRoutes);
app.route("/", codeRoutes);
app.route("/", executeRoutes);
app.route("/", metaRoutes);

// Pages with an id in the path: the app itself, with the Worker's headers. The asset binding answers the root with index.html.
app.get("/s/*", (c) => c.env.ASSETS.fetch(new URL("/", c.req.url)));
app.get("/share/*", (c) => c.env.ASSETS.fetch(new URL("/", c.req.url)));

app.notFound((c) => answer(new AppError("not_found"), new URL(c.req.url).pathname, c.get("requestId")));

app.onError((error, c) => {
  const id = c.get("requestId");
  const { pathname } = new URL(c.req.url);
  if (error instanceof AppError) {
    const isOurs = error.code === "internal" || error.code === "unavailable" || error.code === "keys_locked";
    if (isOurs) log.error("failed", { requestId: id, code: error.code, pathname, ...errorFields(error) });
    return answer(error, pathname, id);
  }
  // The client has gone, and with it what its request was doing.
  if (c.req.raw.signal.aborted) return answer(new AppError("unavailable"), pathname, id);
  log.error("surprise", { requestId: id, pathname, ...errorFields(error) });
  return answer(new AppError("internal"), pathname, id);
});

/** Programs under /v1 read the shape that OpenAI's clients know. */
function answer(error: AppError, pathname: string, id: string): Response {
  return isApiPath(pathname) ? toApiError(error, id) : toResponse(error, id);
}
