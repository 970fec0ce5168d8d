/** An operation as a command line that works once TOKEN is set. Pure. */
import type { Json, Operation, Parameter } from "./operation.ts";

/** Null: no curl can (a socket). */
export function curlOf({ method, path, scopes, parameters = [], body, answers }: Operation, origin: string): string | null {
  if (answers.some(({ status }) => status === 101)) return null;
  const isStream = answers.every(({ stream, schema }) => stream !== undefined && schema === undefined);
  const parts = [
    `curl ${isStream ? "-N " : ""}${method === "get" || (method === "post" && body !== undefined) ? "" : `-X ${method.toUpperCase()} `}${quoted(origin + filled(path, parameters))}`,
    ...(scopes === null ? [] : ['-H "Authorization: Bearer $TOKEN"']),
    ...(body === undefined ? [] : ['-H "Content-Type: application/json"', `-d ${quoted(JSON.stringify(body.example))}`]),
  ];
  return parts.join(" \\\n  ");
}

const filled = (path: string, parameters: readonly Parameter[]): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => textOf(parameters.find((one) => one.in === "path" && one.name === name)?.example));
const textOf = (example: Json | undefined): string => (typeof example === "string" ? example : "…");

/** For a POSIX shell. */
const quoted = (text: string): string => (/^[\w:/.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
