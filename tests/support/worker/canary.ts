/** Looking for a planted secret: in every spelling that a leak could have, in every place where something is kept. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** Base64 of a text inside a longer one looks different at each of three offsets; the outer characters depend on neighbours. */
function base64Forms(text: string): string[] {
  const cores = [0, 1, 2].map((offset) => btoa("\0".repeat(offset) + text).slice(offset === 0 ? 0 : 4, -4));
  return cores.flatMap((core) => [core, core.replaceAll("+", "-").replaceAll("/", "_")]);
}
const hex = (text: string) => [...text].map((char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");

/** `secretPart`: what of it is random, so that a mere prefix is no finding. */
export const formsOf = (secret: string, secretPart: string): string[] => [
  secretPart,
  [...secretPart].toReversed().join(""),
  hex(secretPart),
  [...secretPart].map((char) => `%${hex(char)}`).join(""),
  [...secretPart].map((char) => char.charCodeAt(0)).join(","),
  ...base64Forms(secret),
];

export function findingsOf(forms: readonly string[], text: string): string[] {
  const lower = text.toLowerCase();
  return forms.filter((form) => text.includes(form) || lower.includes(form.toLowerCase()));
}

/** Blobs as text too: a ciphertext would show, a plaintext would be found. */
export const readable = (rows: unknown): string =>
  JSON.stringify(rows, (_, value: unknown) => {
    const bytes = value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value;
    return Array.isArray(bytes) && bytes.length > 0 && bytes.every((item) => typeof item === "number")
      ? `${String.fromCharCode(...bytes.map(Number))} ${bytes.join(",")}`
      : bytes;
  });

const TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'";

export async function dumpD1(): Promise<string> {
  const { results } = await env.DB.prepare(TABLES).all<{ name: string }>();
  const tables = await Promise.all(
    results.map(async ({ name }) => ({ name, rows: (await env.DB.prepare(`SELECT * FROM "${name}"`).all()).results })),
  );
  return readable(tables);
}

export const dumpObject = (stub: DurableObjectStub): Promise<string> =>
  runInDurableObject(stub, (_, { storage }) => {
    const names = storage.sql.exec<{ name: string }>(TABLES).toArray();
    const tables = names.map(({ name }) => ({ name, rows: storage.sql.exec(`SELECT * FROM "${name}"`).toArray() }));
    return readable([...tables, { name: "beside the tables", rows: [...storage.kv.list()] }]);
  });

export async function dumpR2(): Promise<string> {
  const { objects } = await env.BUCKET.list({ include: ["customMetadata", "httpMetadata"] });
  const bodies = await Promise.all(objects.map(async ({ key }) => (await env.BUCKET.get(key))?.text()));
  return JSON.stringify({ objects, bodies });
}

/** Everything the Worker writes to its console from now on. */
export function hearConsole(heard: string[], spyOn: typeof import("vitest").vi.spyOn): void {
  for (const level of ["log", "info", "warn", "error", "debug"] as const)
    spyOn(console, level).mockImplementation((...args: unknown[]) => void heard.push(args.map(String).join(" ")));
}
