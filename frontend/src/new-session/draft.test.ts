import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { projectCreateSchema, sessionCreateSchema } from "@ai-dev-platform/protocol/http";
import { describe, expect, it } from "vitest";
import { choicesFor, withChoices } from "./choices.ts";
import {
  afterStart,
  checkDraft,
  chosenProject,
  EMPTY_DRAFT,
  chosenModel,
  hostKindOf,
  type ModelContext,
  projectRequest,
  readDraft,
  sessionRequest,
  type NewSessionDraft,
} from "./draft.ts";

const project = (projectId: string, createdAt: number, archivedAt: number | null = null): ProjectBody => ({
  projectId,
  name: projectId,
  source: { kind: "empty" },
  trustProject: false,
  model: null,
  archivedAt,
  createdAt,
  sessions: 0,
});
const id = (prefix: string) => `${prefix}_${"0".repeat(26)}`;

const uploaded = { importId: `imp_${"0".repeat(26)}`, format: "tar.gz" as const, bytes: 7, expiresAt: 9, name: "relay.tgz" };

describe("an uploaded archive", () => {
  const draft = { ...EMPTY_DRAFT, text: "x", sourceKind: "archive" as const };

  it("is waited for, and kept with the draft", () => {
    expect(checkDraft(draft, true)).toHaveProperty("archive");
    expect(checkDraft(draft, false)).toEqual({});
    expect(checkDraft({ ...draft, archive: uploaded }, true)).toEqual({});
    expect(readDraft(JSON.stringify({ ...draft, archive: uploaded }))).toEqual({ ...draft, archive: uploaded });
  });

  it("becomes a project that the server's schema reads", () => {
    expect(projectCreateSchema.parse(projectRequest({ ...draft, archive: uploaded })).source).toEqual({
      kind: "archive",
      importId: uploaded.importId,
      format: "tar.gz",
      name: "relay.tgz",
    });
  });
});

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
    const body = sessionRequest(draft, { projectId: id("prj"), promptId: id("prm"), model: "demo", host: "machine", isOwnMachine: false });
    expect(sessionCreateSchema.parse(body)).toMatchObject({
      modelSource: "demo",
      model: "default",
      budgetUsd: 3,
      title: "T",
      prompt: { text: "do it" },
    });
  });
  it("let a chosen model win over the settings, and a login answer on one's own machine alone", () => {
    const settings = { modelSource: "demo", prefersDemo: false, isOwnMachine: false } as const;
    const own = { ...settings, isOwnMachine: true };
    const model = (chosen: string, context: ModelContext) => chosenModel({ model: chosen }, context);
    expect([model("", settings), model("", { ...settings, modelSource: "key" })]).toEqual(["demo", "default"]);
    expect([model("claude-x", settings), model("demo", own), model("default", own)]).toEqual(["claude-x", "demo", "default"]);
    expect([model("", own), model("login", own), model("login", settings)]).toEqual(["login", "login", "demo"]);
    expect(model("", { ...own, prefersDemo: true })).toBe("demo");
    const context = { projectId: id("prj"), promptId: id("prm"), host: "machine" as const, isOwnMachine: false };
    const asked = (chosen: string) => {
      const body = sessionRequest({ ...EMPTY_DRAFT, text: "x" }, { ...context, model: chosen });
      return [sessionCreateSchema.parse(body).modelSource, body.model];
    };
    expect([asked("claude-x"), asked("default")]).toEqual([
      ["key", "claude-x"],
      ["key", "default"],
    ]);
    expect([asked("demo"), asked("login")]).toEqual([
      ["demo", "default"],
      ["login", "default"],
    ]);
  });
});

it("[SG2] leaves the first prompt for the session to sign where it runs on one's own machine", () => {
  const context = { projectId: id("prj"), promptId: id("prm"), host: "machine", model: "login", isOwnMachine: true } as const;
  const body = sessionRequest({ ...EMPTY_DRAFT, text: " Fix the race\nquickly" }, context);
  expect(body).not.toHaveProperty("prompt");
  expect(body.title).toBe("Fix the race");
  expect(sessionRequest({ ...EMPTY_DRAFT, text: "x", title: "T" }, context).title).toBe("T");
  const mode = (chosen: NewSessionDraft["mode"]) => sessionRequest({ ...EMPTY_DRAFT, text: "x", mode: chosen }, context).mode;
  expect([mode("acceptEdits"), mode("plan"), mode("default")]).toEqual(["default", "plan", "default"]);
});

describe("where it runs", () => {
  const folder = { ...project("p", 1), source: { kind: "path" as const, path: "/srv" } };
  it("is a sandbox where there are any, unless a machine is meant", () => {
    const none = { hasSandbox: false, machines: [] };
    const offered = { hasSandbox: true, machines: [] };
    expect(hostKindOf(EMPTY_DRAFT, project("p", 1), offered)).toBe("sandbox");
    expect(hostKindOf({ ...EMPTY_DRAFT, host: "machine" }, null, offered)).toBe("machine");
    expect(hostKindOf({ ...EMPTY_DRAFT, machineId: "mch_1" }, null, offered)).toBe("machine");
    expect(hostKindOf({ ...EMPTY_DRAFT, host: "direct" }, null, offered)).toBe("direct");
    expect(hostKindOf(EMPTY_DRAFT, project("p", 1), { hasSandbox: false, machines: undefined })).toBe("machine");
    expect(hostKindOf(EMPTY_DRAFT, project("p", 1), { ...none, machines: [{ isOperator: true, isOnline: true }] })).toBe("machine");
    // One's own is named or not used at all.
    expect(hostKindOf(EMPTY_DRAFT, project("p", 1), { ...none, machines: [{ isOperator: false, isOnline: true }] })).toBe("direct");
    expect(hostKindOf({ ...EMPTY_DRAFT, host: "sandbox" }, project("p", 1), none)).toBe("direct");
  });
  it("is a machine for a folder of a machine", () => {
    expect(hostKindOf({ ...EMPTY_DRAFT, host: "sandbox" }, folder, { hasSandbox: true, machines: [] })).toBe("machine");
    expect(hostKindOf({ ...EMPTY_DRAFT, sourceKind: "path" }, null, { hasSandbox: true, machines: [] })).toBe("machine");
  });
  it("sends size, network and hours for a sandbox, and none of them for a machine", () => {
    const draft = { ...EMPTY_DRAFT, text: "x", size: "standard-3", networkHosts: ["a.com"], hours: "2.5", machineId: id("mch") } as const;
    const request = (patch: Partial<NewSessionDraft>, host: "sandbox" | "machine") =>
      sessionRequest({ ...draft, ...patch }, { projectId: id("prj"), promptId: id("prm"), model: "default", host, isOwnMachine: false });
    expect(sessionCreateSchema.parse(request({ networkLevel: "custom" }, "sandbox"))).toMatchObject({
      host: "sandbox",
      size: "standard-3",
      network: { level: "custom", hosts: ["a.com"] },
      maxHours: 2.5,
    });
    expect(request({}, "sandbox")).toMatchObject({ network: { level: "registries", hosts: [] } });
    expect(request({}, "sandbox")).not.toHaveProperty("machineId");
    expect(request({}, "machine")).toMatchObject({ host: "machine", machineId: id("mch") });
    for (const name of ["size", "network", "maxHours"]) expect(request({}, "machine")).not.toHaveProperty(name);
  });
  it("has a cap of hours that the session takes", () => {
    for (const hours of ["0.1", "73", "-1", "x"]) expect(checkDraft({ ...EMPTY_DRAFT, text: "x", hours }, false)).toHaveProperty("hours");
    for (const hours of ["", "0.25", "72"]) expect(checkDraft({ ...EMPTY_DRAFT, text: "x", hours }, false)).toEqual({});
  });
});

describe("choices", () => {
  it("are remembered for each project, the newest fifty", () => {
    let stored: string | null = null;
    for (let n = 0; n < 60; n++) stored = withChoices(stored, `p${n}`, { ...EMPTY_DRAFT, hours: String(n) });
    expect(choicesFor(stored, "p59").hours).toBe("59");
    expect(choicesFor(stored, "p3").hours).toBe("");
    expect(choicesFor(withChoices(stored, "p59", { ...EMPTY_DRAFT, hours: "7" }), "p59").hours).toBe("7");
  });
  it("survive whatever is stored", () => {
    for (const stored of [null, "{", "7", '[["p",null],["q"],3]']) expect(choicesFor(stored, "p").lifecycle).toBe("hydrated");
  });
});

it("keeps the choices and drops the words after a start", () => {
  const choices = {
    mode: "plan",
    size: "standard-2",
    lifecycle: "ephemeral",
    networkLevel: "custom",
    networkHosts: ["a.com"],
    hours: "2",
  } as const;
  const draft = { ...EMPTY_DRAFT, ...choices, text: "x", gitUrl: "https://host/x", title: "T" };
  expect(afterStart(draft, "prj_1")).toEqual({ ...EMPTY_DRAFT, ...choices, project: "prj_1" });
});
