/** The directions of docs/architecture.md, held by reading every import. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const root = path.join(import.meta.dirname, "../..");
const SOURCES = ["protocol/src", "worker", "agent/src", "frontend/src", "scripts", "bench"];
const MAX_LINES = 400;

interface SourceFile {
  file: string;
  text: string;
  imports: string[];
}

const files: SourceFile[] = SOURCES.flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|tsx|css|mjs)$/.test(name) && !/\.test\.tsx?$|\.d\.ts$|__fixtures__|node_modules/.test(name))
    .map((name) => {
      const file = path.posix.join(folder, name.split(path.sep).join("/"));
      const text = readFileSync(path.join(root, file), "utf8");
      const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"\n]+)"/g)].map((match) => match[1] as string);
      return {
        file,
        text,
        imports: specifiers.map((specifier) =>
          specifier.startsWith(".") ? path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier)) : specifier,
        ),
      };
    }),
);

const within = (folder: string) => files.filter(({ file }) => file.startsWith(`${folder}/`));
const offenders = (subjects: SourceFile[], isForbidden: (specifier: string, file: string) => boolean) =>
  subjects.flatMap(({ file, imports }) =>
    imports.filter((specifier) => isForbidden(specifier, file)).map((specifier) => `${file} -> ${specifier}`),
  );

describe("import directions", () => {
  it("finds the sources it judges", () => {
    for (const folder of ["protocol/src", "worker/session", "agent/src/runner", "frontend/src/session"])
      expect(within(folder).length).toBeGreaterThan(3);
  });
  it("keeps the protocol a leaf: zod and itself only, and in its client the reader of event streams", () => {
    const isOwn = (specifier: string, file: string) =>
      specifier === "zod" ||
      specifier.startsWith("protocol/src/") ||
      (specifier === "eventsource-parser" && file.startsWith("protocol/src/client/"));
    expect(offenders(within("protocol/src"), (specifier, file) => !isOwn(specifier, file))).toEqual([]);
  });
  it("lets no folder reach into another's inside", () => {
    const roots = ["worker", "agent", "frontend"];
    for (const own of roots)
      expect(
        offenders(
          within(own),
          (specifier) => roots.some((other) => other !== own && specifier.startsWith(`${other}/`)) || specifier.startsWith("protocol/"),
        ),
      ).toEqual([]);
  });
  it("lets the session know only its own ports", () => {
    const isComposition = (file: string) => /worker\/session\/(session-do|stub)\.ts$/.test(file);
    const core = within("worker/session").filter(({ file }) => !isComposition(file));
    expect(
      offenders(
        core,
        (specifier) => specifier.startsWith("worker/") && !specifier.startsWith("worker/session/") && specifier !== "worker/config.ts",
      ),
    ).toEqual([]);
    expect(offenders(core, (specifier) => /^(hono|drizzle-orm|cloudflare:)/.test(specifier))).toEqual([]);
  });
  it("keeps drizzle inside worker/db and worker/auth", () => {
    expect(
      offenders(
        within("worker").filter(({ file }) => !/^worker\/(db|auth)\//.test(file)),
        (specifier) => specifier.startsWith("drizzle-orm"),
      ),
    ).toEqual([]);
  });
  it("imports the Agent SDK in one folder", () => {
    expect(
      offenders(
        files.filter(({ file }) => !file.startsWith("agent/src/runner/claude/") && !file.startsWith("bench/")),
        (specifier) => specifier.startsWith("@anthropic-ai/claude-agent-sdk"),
      ),
    ).toEqual([]);
  });
  it("imports the sandbox SDK in one file", () => {
    expect(
      offenders(
        files.filter(({ file }) => file !== "worker/hosts/sandbox/sandbox-do.ts"),
        (specifier) => specifier.startsWith("@cloudflare/sandbox") || specifier.startsWith("@cloudflare/containers"),
      ),
    ).toEqual([]);
  });
  it("opens stored keys for the proxy alone", () => {
    expect(
      offenders(
        within("worker").filter(({ file }) => !/^worker\/(keys|llm)\//.test(file)),
        (specifier) => specifier.startsWith("worker/keys/envelope") || specifier.startsWith("worker/keys/kek"),
      ),
    ).toEqual([]);
  });
  it("loads no schema library in the browser", () => {
    const zodFree = new Set(["limits", "errors", "close-codes", "roles", "modes", "sandbox-price", "signed-text", "state", "version"]);
    const runtimeImports = within("frontend/src").flatMap(({ file, text }) =>
      [...text.matchAll(/^import (?!type )[^;]*?from "@ai-dev-platform\/protocol\/([\w-]+)"/gms)]
        .filter((match) => !zodFree.has(match[1] as string))
        .map((match) => `${file} -> ${match[1]}`),
    );
    expect(runtimeImports).toEqual([]);
  });
});

describe("size", () => {
  it(`holds every file to ${MAX_LINES} lines`, () => {
    expect(files.filter(({ text }) => text.split("\n").length - 1 > MAX_LINES).map(({ file }) => file)).toEqual([]);
  });
});
