/**
 * The OpenAPI 3.1 document of /v1: operations in words (`*-operations.ts`), schemas and errors from what the routes themselves
 * judge by. Built when it is first asked for, then kept. A test holds it to the routes that there are. SPEC AD1.
 */
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import { WEBHOOK_EVENTS, type WebhookEvent } from "@ai-dev-platform/protocol/api/webhooks";
import { apiErrorBody } from "../api/errors.ts";
import { PLATFORM_VERSION } from "../config.ts";
import { AppError } from "../errors.ts";
import { samplePayload } from "../webhooks/sample.ts";
import { CHAT_OPERATIONS } from "./chat-operations.ts";
import { CODE_OPERATIONS } from "./code-operations.ts";
import { EXECUTE_OPERATIONS } from "./execute-operations.ts";
import { componentSchemas, type JsonSchema } from "./components.ts";
import { describeFields } from "./field-words.ts";
import { META_OPERATIONS } from "./meta-operations.ts";
import { TAGS, type Answer, type Operation, type Parameter } from "./operation.ts";

/** What any request with a token may meet. */
const COMMON_ERRORS: readonly ErrorCode[] = [
  "api_token_missing",
  "api_token_refused",
  "scope_missing",
  "rate_limited",
  "feature_off",
  "internal",
  "unavailable",
];
const IDEMPOTENCY_ERRORS: readonly ErrorCode[] = ["idempotency_conflict", "idempotency_running"];
const EXAMPLE_REQUEST_ID = `req_${"0".repeat(26)}`;
export const EXAMPLE_TIME = Date.UTC(2026, 0, 1);

const IDEMPOTENCY_KEY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  description: "Of the caller's choice, 1 to 255 characters: the same request under the same key is run once and answered alike for a day.",
  schema: { type: "string", minLength: 1, maxLength: 255 },
};

export const OPERATIONS: readonly Operation[] = [...CHAT_OPERATIONS, ...CODE_OPERATIONS, ...EXECUTE_OPERATIONS, ...META_OPERATIONS];

export interface OpenApiDocument {
  openapi: "3.1.1";
  info: JsonSchema;
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, JsonSchema>>;
  webhooks: Record<string, JsonSchema>;
  components: Record<string, JsonSchema>;
  security: JsonSchema[];
}

export function buildDocument(origin: string): OpenApiDocument {
  return {
    openapi: "3.1.1",
    info: {
      title: "AI Dev Platform",
      version: PLATFORM_VERSION,
      summary: "Coding-agent sessions and models, for programs.",
      description:
        "Send an API token as `Authorization: Bearer adp_live_…` (or `x-api-key`); Settings, API makes one. No cookie counts here, and no " +
        "token in an address. Every answer carries `x-request-id`; answers that count against a rate carry `x-ratelimit-…`. Errors have one shape, " +
        "which OpenAI's clients read: `code` is stable, and `retryable` says whether waiting may help.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: origin }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: pathsOf(OPERATIONS),
    webhooks: Object.fromEntries(WEBHOOK_EVENTS.map((event) => [event, { post: webhookOf(event) }])),
    components: {
      schemas: describeFields(componentSchemas()),
      examples: Object.fromEntries(errorCodes(OPERATIONS).map((code) => [`error_${code}`, exampleOf(code)])),
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "An API token: `adp_live_…`." },
        apiKeyHeader: { type: "apiKey", in: "header", name: "x-api-key", description: "The same token, for clients that send it so." },
      },
    },
    security: [{ token: [] }, { apiKeyHeader: [] }],
  };
}

/** The last one written, by its origin: a deployment has one. */
let written: { origin: string; text: string } | null = null;

export function openApiText(origin: string): string {
  if (written?.origin !== origin) written = { origin, text: JSON.stringify(buildDocument(origin)) };
  return written.text;
}

export const errorsOf = ({ scopes, isIdempotent, errors }: Operation): ErrorCode[] => [
  ...new Set([...errors, ...(scopes === null ? [] : COMMON_ERRORS), ...(isIdempotent === true ? IDEMPOTENCY_ERRORS : [])]),
];

const errorCodes = (all: readonly Operation[]): ErrorCode[] => [...new Set(all.flatMap(errorsOf))].toSorted();

function pathsOf(all: readonly Operation[]): OpenApiDocument["paths"] {
  const paths: OpenApiDocument["paths"] = {};
  for (const operation of all) paths[operation.path] = { ...paths[operation.path], [operation.method]: operationOf(operation) };
  return paths;
}

function operationOf(operation: Operation): JsonSchema {
  const { id, tag, summary, description, scopes, body, isIdempotent } = operation;
  const parameters = [...(operation.parameters ?? []), ...(isIdempotent === true ? [IDEMPOTENCY_KEY] : [])];
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    security: scopes === null ? [] : [{ token: [...scopes] }, { apiKeyHeader: [...scopes] }],
    ...(parameters.length === 0 ? {} : { parameters: parameters.map(parameterOf) }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: ref(body.schema), example: body.example } } } }),
    responses: { ...responsesOf(operation.answers), ...errorResponses(errorsOf(operation)) },
  };
}

const parameterOf = (parameter: Parameter): JsonSchema => ({ ...parameter, required: parameter.in === "path" });
const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

const responsesOf = (answers: readonly Answer[]): JsonSchema =>
  Object.fromEntries(answers.map((answer) => [String(answer.status), responseOf(answer)]));

function responseOf({ description, schema, example, stream, mediaType, headers }: Answer): JsonSchema {
  const content: JsonSchema = {
    ...(schema === undefined ? {} : { "application/json": { schema: ref(schema), ...(example === undefined ? {} : { example }) } }),
    ...(stream === undefined
      ? {}
      : { "text/event-stream": { schema: { type: "string", description: stream.description }, example: stream.example } }),
    ...(mediaType === undefined
      ? {}
      : { [mediaType]: { schema: mediaType === "application/json" ? { type: "object" } : { type: "string" } } }),
  };
  const described = Object.entries(headers ?? {}).map(([name, text]) => [name, { description: text, schema: { type: "string" } }]);
  return {
    description,
    ...(described.length === 0 ? {} : { headers: Object.fromEntries(described) }),
    ...(Object.keys(content).length === 0 ? {} : { content }),
  };
}

/** One response for each status, with each code that it may carry as an example. */
function errorResponses(codes: readonly ErrorCode[]): JsonSchema {
  const byStatus = Map.groupBy(codes, (code) => ERRORS[code].status);
  const responses = [...byStatus].map(([status, those]) => [
    String(status),
    {
      description: those.map((code) => `\`${shownCode(code)}\`: ${ERRORS[code].message}`).join("\n\n"),
      content: {
        "application/json": {
          schema: ref("Error"),
          examples: Object.fromEntries(those.map((code) => [code, { $ref: `#/components/examples/error_${code}` }])),
        },
      },
    },
  ]);
  return Object.fromEntries(responses);
}

const errorBodyOf = (code: ErrorCode) => apiErrorBody(new AppError(code), EXAMPLE_REQUEST_ID);
export const shownCode = (code: ErrorCode): string => errorBodyOf(code).error.code;
const exampleOf = (code: ErrorCode): JsonSchema => ({ summary: ERRORS[code].message, value: errorBodyOf(code) });

export const WEBHOOK_WORDS: Readonly<Record<WebhookEvent, string>> = {
  "turn.ended": "A turn has ended, however it ended.",
  "approval.requested": "The agent asks for permission, a question's answer or a plan's approval, and waits.",
};

function webhookOf(event: WebhookEvent): JsonSchema {
  const header = (name: string, description: string): JsonSchema => ({
    name,
    in: "header",
    required: true,
    description,
    schema: { type: "string" },
  });
  return {
    operationId: event.replace(/\.(\w)/, (_, letter: string) => letter.toUpperCase()),
    summary: WEBHOOK_WORDS[event],
    description:
      "Signed as Standard Webhooks has it. Delivered at least once, tried again for three days until a 2xx answers within 10 seconds.",
    security: [],
    parameters: [
      header("webhook-id", "The same at each attempt: what was seen before may be left aside."),
      header("webhook-timestamp", "Epoch seconds of this attempt."),
      header(
        "webhook-signature",
        "`v1,` and the base64 of HMAC-SHA256 over id, timestamp and body, joined by dots, under the webhook's secret.",
      ),
    ],
    requestBody: {
      required: true,
      content: { "application/json": { schema: ref("WebhookPayload"), example: samplePayload(event, EXAMPLE_TIME) } },
    },
    responses: { "2XX": { description: "Taken." }, "410": { description: "Gone: the webhook is switched off." } },
  };
}
