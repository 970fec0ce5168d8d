/** Projects and sessions made through the API, as a person would. The scripted model: no key is needed. */
import type { ProjectBody, SessionBody } from "@ai-dev-platform/protocol/http";
import type { AppClient } from "./app-client.ts";

export const newProject = (client: AppClient, body: Record<string, unknown> = {}): Promise<ProjectBody> =>
  client.json<ProjectBody>("POST", "/api/projects", { source: { kind: "empty" }, ...body });

export async function newSession(client: AppClient, body: Record<string, unknown> = {}): Promise<SessionBody> {
  const projectId = body["projectId"] ?? (await newProject(client)).projectId;
  return client.json<SessionBody>("POST", "/api/sessions", { modelSource: "demo", ...body, projectId });
}
