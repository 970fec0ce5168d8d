/**
 * Tools that need no computer: looks at the newest saved state that can be read (SPEC DI2). Nothing here writes, starts or
 * reaches anything else; Git's own store is hidden as everywhere.
 */
import type { Tool } from "@anthropic-ai/sdk/resources/messages";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import * as z from "zod";
import type { SavedAnswer, SavedFiles, SavedLook } from "../../session/ports.ts";
import { DEFAULT_READ_LINES, MAX_LINE_CHARS, MAX_READ_CHARS, MAX_SEARCHED_FILES, MAX_SHOWN_LINES } from "./limits.ts";

export interface ToolAnswer {
  ok: boolean;
  output: string;
  path?: string;
}

const path = z.string().max(4_096);
const listSchema = z.object({ path: path.default("") });
const readSchema = z.object({ path, from_line: z.int().min(1).default(1), lines: z.int().min(1).default(DEFAULT_READ_LINES) });
const searchSchema = z.object({ name: z.string().max(200).default(""), contains: z.string().max(500).optional() });

const property = (type: "string" | "integer", description: string) => ({ type, description });

export const TOOLS: Tool[] = [
  {
    name: "list_files",
    description: "Lists one folder of the project's newest saved state: folders first, then files with their size.",
    input_schema: { type: "object", properties: { path: property("string", "The folder, relative to the project; empty for its root") } },
  },
  {
    name: "read_file",
    description: "Reads a text file of the project's newest saved state, with line numbers.",
    input_schema: {
      type: "object",
      properties: {
        path: property("string", "The file, relative to the project"),
        from_line: property("integer", "The first line to show; 1 when left out"),
        lines: property("integer", `How many lines; ${DEFAULT_READ_LINES} when left out`),
      },
      required: ["path"],
    },
  },
  {
    name: "search_files",
    description:
      "Finds files of the newest saved state by a fragment of their path. With `contains`, shows the lines of those files that " +
      `contain that text, in upper or lower case; at most ${MAX_SEARCHED_FILES} files are looked through, so narrow them by name.`,
    input_schema: {
      type: "object",
      properties: {
        name: property("string", "A fragment of the path, such as `src/auth` or `.test.ts`"),
        contains: property("string", "Text that a line must contain"),
      },
    },
  },
];

export class SavedTools {
  readonly #files: SavedFiles;
  readonly #sessionId: string;
  readonly #states: readonly SnapshotRef[];

  constructor(files: SavedFiles, sessionId: string, states: readonly SnapshotRef[]) {
    this.#files = files;
    this.#sessionId = sessionId;
    this.#states = states;
  }

  /** Never throws: what goes wrong is the model's to read. */
  async call(name: string, input: unknown): Promise<ToolAnswer> {
    try {
      return await this.#call(name, input);
    } catch (error) {
      const detail = error instanceof z.ZodError ? z.prettifyError(error) : "The saved files could not be read now.";
      return { ok: false, output: detail };
    }
  }

  #call(name: string, input: unknown): Promise<ToolAnswer> {
    switch (name) {
      case "list_files":
        return this.#list(listSchema.parse(input).path);
      case "read_file":
        return this.#read(readSchema.parse(input));
      case "search_files":
        return this.#search(searchSchema.parse(input));
      default:
        return Promise.resolve({ ok: false, output: `There is no tool ${name}.` });
    }
  }

  /** From the newest state; from the one before where that is damaged, as a runner would. */
  async #look(query: SavedLook): Promise<SavedAnswer<SavedLook["kind"]>> {
    let answer: SavedAnswer<SavedLook["kind"]> = { ok: false, code: "not_found", detail: "Nothing is saved." };
    for (const state of this.#states) {
      answer = await this.#files.look(this.#sessionId, state, query);
      if (answer.ok || answer.code !== "snapshot_damaged") break;
    }
    return answer;
  }

  async #list(folder: string): Promise<ToolAnswer> {
    const answer = await this.#look({ kind: "tree", path: folder });
    if (!answer.ok) return { ok: false, output: answer.detail, path: folder };
    if (answer.result.kind !== "tree") return { ok: false, output: "That is no folder.", path: folder };
    const { entries, truncated } = answer.result;
    const lines = entries.map(({ name, kind, bytes }) => (kind === "folder" ? `${name}/` : `${name}  (${bytes} bytes)`));
    const rest = truncated ? ["(and more)"] : [];
    return { ok: true, output: entries.length === 0 ? "(empty)" : [...lines, ...rest].join("\n"), path: folder };
  }

  async #text(file: string): Promise<{ text: string; truncated: boolean } | string> {
    const answer = await this.#look({ kind: "file", path: file });
    if (!answer.ok) return answer.detail;
    if (answer.result.kind !== "file") return "That is no file.";
    const { text, truncated } = answer.result;
    return text === null ? "That is no text file." : { text, truncated };
  }

  async #read({ path: file, from_line: from, lines: count }: z.infer<typeof readSchema>): Promise<ToolAnswer> {
    const found = await this.#text(file);
    if (typeof found === "string") return { ok: false, output: found, path: file };
    const all = found.text.split("\n");
    const shown: string[] = [];
    let chars = 0;
    for (const [index, line] of all.slice(from - 1, from - 1 + count).entries()) {
      chars += line.length + 8;
      if (chars > MAX_READ_CHARS && shown.length > 0) break;
      shown.push(`${String(from + index).padStart(5)}  ${line.slice(0, MAX_READ_CHARS)}`);
    }
    const last = from - 1 + shown.length;
    const more =
      last < all.length || found.truncated
        ? [`(shown up to line ${last}${found.truncated ? "; the file is larger" : ` of ${all.length}`})`]
        : [];
    return { ok: true, output: [...shown, ...more].join("\n"), path: file };
  }

  async #search({ name, contains }: z.infer<typeof searchSchema>): Promise<ToolAnswer> {
    const answer = await this.#look({ kind: "find", text: name });
    if (!answer.ok) return { ok: false, output: answer.detail };
    const paths = answer.result.kind === "find" ? answer.result.paths : [];
    if (contains === undefined) return { ok: true, output: paths.length === 0 ? "No file matches." : paths.join("\n") };
    const found: string[] = [];
    const searched = paths.slice(0, MAX_SEARCHED_FILES);
    const wanted = contains.toLowerCase();
    for (const file of searched) {
      const content = await this.#text(file);
      if (typeof content === "string") continue;
      for (const [index, line] of content.text.split("\n").entries()) {
        if (found.length >= MAX_SHOWN_LINES) break;
        if (line.toLowerCase().includes(wanted)) found.push(`${file}:${index + 1}: ${line.trim().slice(0, MAX_LINE_CHARS)}`);
      }
    }
    const note = `(${searched.length} files looked through)`;
    return { ok: true, output: [...(found.length === 0 ? ["No line contains it."] : found), note].join("\n") };
  }
}
