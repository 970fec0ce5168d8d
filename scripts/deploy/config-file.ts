/**
 * The configuration that a deployment really uses, made from wrangler.toml and never written over it: names, the
 * database's id, the host and the sandbox switch. Pure but for reading wrangler.toml.
 */
import { experimental_readRawConfig } from "wrangler";
import * as z from "zod";
import type { Names } from "./plan.ts";

/** Beside wrangler.toml, because the paths in it are relative. Git ignores it. */
export const DEPLOY_CONFIG = "wrangler.deploy.json";

const sourceSchema = z.looseObject({
  name: z.string(),
  compatibility_date: z.string(),
  vars: z.record(z.string(), z.unknown()).default({}),
  assets: z.looseObject({ run_worker_first: z.array(z.string()) }),
  d1_databases: z.tuple([z.looseObject({ binding: z.string(), database_name: z.string() })]),
  r2_buckets: z.tuple([z.looseObject({ binding: z.string(), bucket_name: z.string() })]),
  containers: z.array(z.looseObject({ class_name: z.string(), name: z.string().optional() })).default([]),
});
export type SourceConfig = z.infer<typeof sourceSchema>;

export function readSourceConfig(file: string): SourceConfig {
  const source: { rawConfig: unknown } = experimental_readRawConfig({ config: file });
  return sourceSchema.parse(source.rawConfig);
}

export function namesOf(source: SourceConfig, name: string | null): Names {
  if (name !== null) return { worker: name, database: name, bucket: name, pages: `${name}-web` };
  return {
    worker: source.name,
    database: source.d1_databases[0].database_name,
    bucket: source.r2_buckets[0].bucket_name,
    pages: `${source.name}-web`,
  };
}

export interface Placement {
  names: Names;
  databaseId: string;
  sandbox: boolean;
  domain: string | null;
}

export function deployConfig(source: SourceConfig, { names, databaseId, sandbox, domain }: Placement): Record<string, unknown> {
  const [database] = source.d1_databases;
  const [bucket] = source.r2_buckets;
  // The web app is built before; a second build in the middle of an upload would only cost time.
  const { build: _build, preview_database_id: _preview, containers, ...rest } = source as SourceConfig & { build?: unknown };
  const { preview_database_id: _local, ...databaseRest } = database as typeof database & { preview_database_id?: unknown };
  return {
    ...rest,
    name: names.worker,
    vars: { ...source.vars, SANDBOXES: sandbox ? "on" : "off" },
    d1_databases: [{ ...databaseRest, database_name: names.database, database_id: databaseId }],
    r2_buckets: [{ ...bucket, bucket_name: names.bucket }],
    ...(sandbox ? { containers: containers.map((container) => renamed(container, source.name, names.worker)) } : {}),
    ...(domain === null ? {} : { routes: [{ pattern: domain, custom_domain: true }], workers_dev: true }),
  };
}

/** A container application's name is the account's, like the Worker's. */
function renamed<T extends { name?: string | undefined }>(container: T, from: string, to: string): T {
  if (container.name === undefined || from === to) return container;
  return { ...container, name: container.name.replace(from, to) };
}

/** Pages' own configuration: nothing but the way to the Worker. */
export const pagesConfig = (source: SourceConfig, names: Names): Record<string, unknown> => ({
  name: names.pages,
  pages_build_output_dir: "./site",
  compatibility_date: source.compatibility_date,
  services: [{ binding: "WORKER", service: names.worker }],
});

/** Which paths reach the Worker through Pages: the ones it answers first on its own hosts. Everything else is a file. */
export const pagesRoutes = (source: SourceConfig) => ({ version: 1, include: source.assets.run_worker_first, exclude: [] as string[] });
