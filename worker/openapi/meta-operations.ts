/** Operations about the deployment itself. */
import type { Operation } from "./operation.ts";

const healthy = {
  status: "ok",
  version: "0.1.0",
  features: { api: true, agent: true, execute: true, providers: ["anthropic", "openai", "openrouter", "custom"] },
  checks: { database: "ok", storage: "ok", sessions: "ok", vault: "ok", sandbox: "off" },
};

export const META_OPERATIONS: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/health",
    id: "getHealth",
    tag: "About",
    summary: "Say whether it works",
    description:
      "Each part is asked for a second at most. `off`: not offered here. The answer is kept for some seconds, so asking more often tells nothing new.",
    scopes: null,
    answers: [
      { status: 200, description: "It works. `degraded`: something fails that not everything needs.", schema: "Health", example: healthy },
      {
        status: 503,
        description: "The database or the sessions do not answer.",
        schema: "Health",
        example: { ...healthy, status: "degraded", checks: { ...healthy.checks, database: "failing" } },
      },
    ],
    errors: [],
  },
  {
    method: "get",
    path: "/v1/openapi.json",
    id: "getOpenApi",
    tag: "About",
    summary: "Describe the API",
    description: "This document: OpenAPI 3.1.",
    scopes: null,
    answers: [{ status: 200, description: "The document.", mediaType: "application/json" }],
    errors: [],
  },
  {
    method: "get",
    path: "/v1/docs",
    id: "getDocs",
    tag: "About",
    summary: "Describe the API to people",
    description: "This document as a page.",
    scopes: null,
    answers: [{ status: 200, description: "The page.", mediaType: "text/html" }],
    errors: [],
  },
];
