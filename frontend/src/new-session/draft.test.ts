import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { projectCreateSchema, sessionCreateSchema } from "@ai-dev-platform/protocol/http";
import { describe, expect, it } from "vitest";
import { afterStart, checkDraft, chosenProject, EMPTY_DRAFT, projectRequest, readDraft, sessionRequest } from "./draft.ts";

const project = (projectId: string, createdAt: number, archivedAt: number | null = null): ProjectBody => ({
  projectId,
  name: projectId,
  source: { kind: "empty" },
  trustProject: false,
  archivedAt,
  createdAt,
  sessions: 0,
});
const id = (prefix: string) => `${prefix}_${"0".repeat(26)}`;

describe("readDraft", () => {
  it("survives whatever is stored", () => {
    for (const stored of [null, "", "null", "[]", "{", '{"mode":"root","text":7}']) expect(readDraft(stored)).toEqual(EMPTY_DRAFT);
  });
  it("gives back what was typed", () => {
    const draft = { ...EMPTY_DRAFT, text: "hello", trust: true, sourceKind: "git" as const };
    expect(readDraft(JSON.stringify(draft))).toEqual(draft);
  });
});

describe("chosenProject", () => {
  const projects = [project("old", 1), project("newest", 3, 9), project("newer", 2)];
  it("prefers the choice, else the newest that is not archived", () => {
    expect(chosenProject({ ...EMPTY_DRAFT, project: "old" }, projects)?.projectId).toBe("old");
    expect(chosenProject({ ...EMPTY_DRAFT, project: "gone" }, projects)?.projectId).toBe("newer");
    expect(chosenProject({ ...EMPTY_DRAFT, project: "new" }, projects)).toBeNull();
    expect(chosenProject(EMPTY_DRAFT, [])).toBeNull();
  });
});

describe("checkDraft", () => {
  it("wants a prompt, and a source that can be read", () => {
    expect(checkDraft(EMPTY_DRAFT, true)).toHaveProperty("text");
    const git = { ...EMPTY_DRAFT, text: "x", sourceKind: "git" as const };
    expect(checkDraft({ ...git, gitUrl: "https://me:pw@host/x" }, true)).toHaveProperty("gitUrl");
    expect(checkDraft({ ...git, gitUrl: "-upload-pack" }, true)).toHaveProperty("gitUrl");
    expect(checkDraft({ ...git, gitUrl: "https://github.com/acme/relay.git" }, true)).toEqual({});
    expect(checkDraft({ ...git, gitUrl: "" }, false)).toEqual({});
    expect(checkDraft({ ...EMPTY_DRAFT, text: "x", budget: "-1" }, false)).toHaveProperty("budget");
    expect(checkDraft({ ...EMPTY_DRAFT, text: "x", budget: "2.50" }, false)).toEqual({});
  });
});

describe("requests", () => {
  it("are bodies that the server's schemas take", () => {
    const draft = { ...EMPTY_DRAFT, text: " do it ", title: " T ", budget: "3", sourceKind: "git" as const, gitUrl: "https://host/x.git" };
    expect(projectCreateSchema.parse(projectRequest(draft)).source).toEqual({ kind: "git", url: "https://host/x.git", branch: null });
    expect(projectCreateSchema.safeParse(projectRequest({ ...EMPTY_DRAFT, sourceKind: "path", path: "/srv/app" })).success).toBe(true);
    const body = sessionRequest(draft, { projectId: id("prj"), promptId: id("prm"), modelSource: "demo" });
    expect(sessionCreateSchema.parse(body)).toMatchObject({
      modelSource: "demo",
      model: "default",
      budgetUsd: 3,
      title: "T",
      prompt: { text: "do it" },
    });
  });
  it("let a chosen model win over the settings", () => {
    const context = { projectId: id("prj"), promptId: id("prm"), modelSource: "demo" as const };
    expect(sessionRequest({ ...EMPTY_DRAFT, model: "claude-x" }, context)).toMatchObject({ modelSource: "key", model: "claude-x" });
    expect(sessionRequest({ ...EMPTY_DRAFT, model: "demo" }, { ...context, modelSource: "key" })).toMatchObject({
      modelSource: "demo",
      model: "default",
    });
  });
});

it("keeps the choices and drops the words after a start", () => {
  const draft = { ...EMPTY_DRAFT, text: "x", mode: "plan" as const, gitUrl: "https://host/x", budget: "3" };
  expect(afterStart(draft, "prj_1")).toEqual({ ...EMPTY_DRAFT, project: "prj_1", mode: "plan" });
});
