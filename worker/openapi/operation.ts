/** What the OpenAPI document and its page are made of: one row for each operation, in words for people. */
import type { ApiScope } from "@ai-dev-platform/protocol/api/access";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { AnswerName, RequestName } from "./components.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export const TAGS = {
  Chat: "Answers in OpenAI's dialect: by a model directly, or by the coding agent in a session.",
  Models: "What can be named as `model`.",
  Sessions: "Sessions of the coding agent: the same that people see in the browser.",
  Execution: "Code and commands in a sandbox.",
  About: "The deployment itself. These need no token.",
} as const;
export type Tag = keyof typeof TAGS;

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  description: string;
  schema: Json;
  example?: Json;
}

export interface Answer {
  status: number;
  description: string;
  schema?: AnswerName;
  example?: Json;
  /** Server-sent events in place of, or beside, JSON. */
  stream?: { description: string; example: string };
  /** Another media type than JSON. */
  mediaType?: string;
  headers?: Readonly<Record<string, string>>;
}

export interface Operation {
  method: "get" | "post" | "delete";
  /** With parameters as OpenAPI writes them: `/v1/models/{id}`. */
  path: string;
  id: string;
  tag: Tag;
  summary: string;
  description: string;
  /** What the token needs; null: no token is asked for. */
  scopes: readonly ApiScope[] | null;
  parameters?: readonly Parameter[];
  body?: { schema: RequestName; example: Json };
  /** A repeated request with the same Idempotency-Key gets the same answer. */
  isIdempotent?: boolean;
  answers: readonly Answer[];
  errors: readonly ErrorCode[];
}
