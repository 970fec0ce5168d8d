/** What fields mean, where their name does not say it: `Schema.field` → words. A test finds the ones that are not there any more. */
import type { JsonSchema } from "./components.ts";

export const FIELD_WORDS: Readonly<Record<string, string>> = {
  "ChatCompletionRequest.model": "A model's name, `agent`, or `agent:` and a project's id.",
  "ChatCompletionRequest.stream": "Answer by server-sent events.",
  "ChatCompletionRequest.max_completion_tokens": "In place of `max_tokens`.",
  "ChatCompletionRequest.seed": "Taken, and without effect.",
  "ChatCompletionRequest.n": "Only 1.",
  "ChatCompletionRequest.metadata":
    "Of a model `agent…`: `session_id`, `project_id`, `approvals` (`deny`, `accept_edits`, `all`), `tool_progress` (`off`, `comments`, `text`).",
  "ChatCompletion.metadata": "Of a model `agent…` alone.",
  "CodeSessionCreate.project_id": "Absent: a project of its own for programs, without files.",
  "CodeSessionCreate.repository": "In place of a project: a Git repository to begin with.",
  "CodeSessionCreate.prompt": "A first message.",
  "CodeSessionCreate.files": "Path relative to the workspace → text.",
  "CodeSessionCreate.approvals":
    "Who answers when the agent asks for permission in the first turn. `ask`: a person, or the program by its id; `deny`: each is denied at once; " +
    "`accept_edits`: edits are allowed, the rest denied; `all`: all is allowed.",
  "CodeSessionCreate.host": "Where the agent runs. Absent: where it can.",
  "CodeSessionCreate.network": "What a sandbox may reach.",
  "CodeSessionCreate.budget_usd": "What the session may spend.",
  "CodeMessageCreate.approvals": "As of a session, for this message's turn.",
  "CodeMessageCreate.thread": "The agent that it is for, where there are several.",
  "CodeMessageCreate.stream": "Server-sent events until its turn has ended.",
  "CodeMessageCreate.wait": "Answer when its turn has ended, or asks for an approval that nobody may answer by policy.",
  "CodeMessageCreate.files": "Path relative to the workspace → text; written before the turn.",
  "CodeSession.status": "`asleep`: nothing runs and all is saved; the next message wakes it.",
  "CodeSession.saved": "Everything up to and including the event `through_event` is saved.",
  "CodeSession.url": "For a person, in a browser.",
  "CodeMessage.content": "What the agent wrote, without its tools.",
  "CodeMessage.outcome": "Null until it has ended.",
  "CodeApproval.subject": "The exact command, path, address, question or plan.",
  "CodeEvent.id": "Dense: the next event's is one more.",
  "ExecuteRequest.session_id": "Absent: a fresh ephemeral sandbox, gone afterwards.",
  "ExecuteRequest.language": "With `code`.",
  "ExecuteRequest.command": "In place of `code`: a shell command, run by bash in the workspace.",
  "ExecuteRequest.files": "Path relative to the workspace → text; written before it runs.",
  "Execution.status":
    "`completed`: exit code 0. `failed`: another, a signal, or it could not be started. `lost`: its runner vanished; it may have run.",
  "Execution.omitted_bytes": "Of output that was left away.",
  "Error.error": "`code` is stable. `retryable`: the same request may succeed later without anybody changing it.",
  "Health.checks": "`off`: not offered here.",
};

/** Adds the words to the schemas' own fields. */
export function describeFields(schemas: Record<string, JsonSchema>): Record<string, JsonSchema> {
  for (const [key, description] of Object.entries(FIELD_WORDS)) {
    const field = fieldAt(schemas, key);
    if (field !== null) field["description"] = description;
  }
  return schemas;
}

export function fieldAt(schemas: Record<string, JsonSchema>, key: string): JsonSchema | null {
  const [schemaName = "", fieldName = ""] = key.split(".");
  const properties = schemas[schemaName]?.["properties"];
  if (!isObject(properties)) return null;
  const field = properties[fieldName];
  return isObject(field) ? field : null;
}

const isObject = (value: unknown): value is JsonSchema => value !== null && typeof value === "object" && !Array.isArray(value);
