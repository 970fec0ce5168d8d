/** The document by itself: the rules of OpenAPI 3.1, and examples that the schemas take. tests/worker/v1-meta.test.ts holds it to the routes. */
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { componentSchemas, ANSWERS, REQUESTS } from "./components.ts";
import { curlOf } from "./curl.ts";
import { buildDocument, OPERATIONS } from "./document.ts";
import { FIELD_WORDS, fieldAt } from "./field-words.ts";

const document = buildDocument("https://platform.example");

// --- OpenAPI 3.1, as far as the document uses it: every object strict, so that a misspelt field is a failure ---

const text = z.string().min(1);
const refSchema = z.strictObject({ $ref: z.string().startsWith("#/components/") });
const jsonSchema = z.record(z.string(), z.unknown());
const example = z.union([refSchema, z.strictObject({ summary: text, value: z.unknown() })]);
const media = z.strictObject({ schema: jsonSchema, example: z.unknown().optional(), examples: z.record(z.string(), example).optional() });
const content = z.record(z.string().regex(/^[a-z]+\/[a-z-]+$/), media);
const header = z.strictObject({ description: text, schema: jsonSchema });
const parameter = z.strictObject({
  name: text,
  in: z.enum(["path", "query", "header"]),
  description: text,
  required: z.boolean(),
  schema: jsonSchema,
  example: z.unknown().optional(),
});
const response = z.strictObject({ description: text, headers: z.record(z.string(), header).optional(), content: content.optional() });
const operation = z.strictObject({
  operationId: z.string().regex(/^[a-z]\w+$/i),
  tags: z.array(text).optional(),
  summary: text,
  description: text,
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z.array(parameter).optional(),
  requestBody: z.strictObject({ required: z.literal(true), content }).optional(),
  responses: z.record(z.string().regex(/^[1-5](\d\d|XX)$/), response),
});
const documentSchema = z.strictObject({
  openapi: z.string().regex(/^3\.1\.\d+$/),
  info: z.strictObject({
    title: text,
    version: text,
    summary: text,
    description: text,
    license: z.strictObject({ name: text, identifier: text }),
  }),
  servers: z.array(z.strictObject({ url: z.url() })),
  tags: z.array(z.strictObject({ name: text, description: text })),
  paths: z.record(z.string().startsWith("/v1/"), z.partialRecord(z.enum(["get", "post", "delete"]), operation)),
  webhooks: z.record(z.string(), z.strictObject({ post: operation })),
  components: z.strictObject({
    schemas: z.record(z.string().regex(/^[\w.-]+$/), jsonSchema),
    examples: z.record(z.string().regex(/^[\w.-]+$/), example),
    securitySchemes: z.strictObject({
      token: z.strictObject({ type: z.literal("http"), scheme: z.literal("bearer"), description: text }),
      apiKeyHeader: z.strictObject({ type: z.literal("apiKey"), in: z.literal("header"), name: text, description: text }),
    }),
  }),
  security: z.array(z.record(z.string(), z.array(z.string()))),
});

const refsIn = (value: unknown): string[] => {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, inner]) => (name === "$ref" && typeof inner === "string" ? [inner] : refsIn(inner)));
};
const at = (path: string): unknown =>
  path
    .slice(2)
    .split("/")
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);

describe("[AD1] the OpenAPI document", () => {
  it("keeps the rules of OpenAPI 3.1", () => {
    expect(documentSchema.safeParse(JSON.parse(JSON.stringify(document))).error?.issues ?? []).toEqual([]);
  });

  it("points at nothing that is not there", () => {
    const refs = refsIn(document);
    expect(refs.length).toBeGreaterThan(50);
    expect(refs.filter((ref) => at(ref) === undefined)).toEqual([]);
  });

  it("names each operation once, and each parameter of its path", () => {
    const ids = OPERATIONS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, parameters = [] } of OPERATIONS) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      expect(parameters.filter((one) => one.in === "path").map(({ name }) => name)).toEqual(named);
    }
  });

  it("gives examples that the routes' own schemas take", () => {
    for (const { id, body, answers } of OPERATIONS) {
      if (body !== undefined) expect([id, REQUESTS[body.schema].safeParse(body.example).error]).toEqual([id, undefined]);
      for (const { schema, example: given } of answers)
        if (schema !== undefined) expect([id, ANSWERS[schema].safeParse(given).error]).toEqual([id, undefined]);
    }
  });

  it("gives schemas that mean the same when they are read back", () => {
    const schemas = JSON.parse(JSON.stringify(componentSchemas()).replaceAll("#/components/schemas/", "#/$defs/")) as Record<
      string,
      object
    >;
    const readBack = (name: string) =>
      z.fromJSONSchema({ $ref: `#/$defs/${name}`, $defs: schemas } as Parameters<typeof z.fromJSONSchema>[0]);
    for (const { id, body, answers } of OPERATIONS) {
      if (body !== undefined) {
        expect([id, readBack(body.schema).safeParse(body.example).error]).toEqual([id, undefined]);
        expect([id, readBack(body.schema).safeParse("no object").success]).toEqual([id, false]);
      }
      for (const { schema, example: given } of answers) {
        if (schema === undefined) continue;
        expect([id, readBack(schema).safeParse(given).error]).toEqual([id, undefined]);
        expect([id, readBack(schema).safeParse({}).success]).toEqual([id, false]);
      }
    }
  });

  it("explains only fields that there are", () => {
    const schemas = componentSchemas();
    expect(Object.keys(FIELD_WORDS).filter((key) => fieldAt(schemas, key) === null)).toEqual([]);
  });

  it("leaves answers open to what a newer deployment adds, and requests closed", () => {
    const schemas = componentSchemas();
    for (const name of Object.keys(ANSWERS)) expect(JSON.stringify(schemas[name])).not.toContain('"additionalProperties":false');
    expect(schemas["CodeMessageCreate"]?.["additionalProperties"]).toBe(false);
  });
});

describe("the command line of an operation", () => {
  const commandOf = (id: string) => {
    const found = OPERATIONS.find((one) => one.id === id);
    return found === undefined ? undefined : curlOf(found, "https://platform.example");
  };

  it("names the token by a variable, fills the path and quotes the body for a shell", () => {
    expect(commandOf("createChatCompletion")).toBe(
      `curl https://platform.example/v1/chat/completions \\\n  -H "Authorization: Bearer $TOKEN" \\\n  -H "Content-Type: application/json" \\\n` +
        `  -d '{"model":"claude-sonnet-5","messages":[{"role":"user","content":"Say hello."}]}'`,
    );
    expect(commandOf("getHealth")).toBe("curl https://platform.example/v1/health");
    expect(commandOf("deleteCodeSession")).toContain("curl -X DELETE https://platform.example/v1/code/session/ses_000");
    expect(commandOf("streamCodeEvents")).toContain("curl -N ");
    expect(commandOf("openCodeSocket")).toBeNull();
  });

  it("leaves no parameter open", () => {
    for (const one of OPERATIONS) expect(curlOf(one, "https://platform.example") ?? "").not.toMatch(/[{…]id/);
  });
});
