/**
 * What a person has entered for a new session, and the requests it becomes. Pure.
 * The draft lives in this browser until the session exists, so that an error, a reload or a wrong click loses nothing.
 */
import type { MachineBody, projectCreateSchema, ProjectBody, sessionCreateSchema } from "@ai-dev-platform/protocol/http";
import { MAX_MAX_HOURS, MIN_MAX_HOURS } from "@ai-dev-platform/protocol/limits";
import {
  DEFAULT_NETWORK,
  DEFAULT_SANDBOX_SIZE,
  HOST_KINDS,
  LIFECYCLES,
  MODES,
  NETWORK_LEVELS,
  SANDBOX_SIZES,
  type HostKind,
  type Lifecycle,
  type Mode,
  type ModelSource,
  type NetworkLevel,
  type SandboxSize,
} from "@ai-dev-platform/protocol/modes";
import type * as z from "zod";
import { readUploaded, type UploadedArchive } from "./uploaded.ts";
import { t } from "./messages.ts";

export const NEW_PROJECT = "new";
export const DEMO_MODEL = "demo";
/** In place of a model: the Claude login of one's own machine answers. */
export const LOGIN_MODEL = "login";
const SOURCE_KINDS = ["empty", "git", "archive", "path"] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];
export type ProjectCreate = z.input<typeof projectCreateSchema>;
export type SessionCreate = z.input<typeof sessionCreateSchema>;

export interface NewSessionDraft {
  text: string;
  /** A project's id, `new`, or empty for the one used last. */
  project: string;
  sourceKind: SourceKind;
  projectName: string;
  gitUrl: string;
  gitBranch: string;
  path: string;
  /** Uploaded, and waiting for its project; null until then. */
  archive: UploadedArchive | null;
  mode: Mode;
  /** A model's id, `default`, `demo`, `login`, or empty for what the settings and the host say. */
  model: string;
  lifecycle: Lifecycle;
  /** Empty: a sandbox where there are any, else a machine, else the model alone. */
  host: HostKind | "";
  /** Empty: any machine. */
  machineId: string;
  size: SandboxSize;
  networkLevel: NetworkLevel;
  /** Kept while another level is chosen; they count for `custom`. */
  networkHosts: readonly string[];
  /** Empty: the platform's own cap. */
  hours: string;
  /** Null: as the project has it. */
  trust: boolean | null;
  budget: string;
  title: string;
}

export const EMPTY_DRAFT: NewSessionDraft = {
  text: "",
  project: "",
  sourceKind: "empty",
  projectName: "",
  gitUrl: "",
  gitBranch: "",
  path: "",
  archive: null,
  mode: "default",
  model: "",
  lifecycle: "hydrated",
  host: "",
  machineId: "",
  size: DEFAULT_SANDBOX_SIZE,
  networkLevel: DEFAULT_NETWORK.level,
  networkHosts: [],
  hours: "",
  trust: null,
  budget: "",
  title: "",
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const oneOf = <T extends string>(values: readonly T[], value: unknown, fallback: T): T =>
  values.find((known) => known === value) ?? fallback;

/** Reads a stored draft, whatever an older version of the page has left there. */
export function readDraft(stored: string | null): NewSessionDraft {
  let raw: unknown;
  try {
    raw = JSON.parse(stored ?? "null");
  } catch {
    return EMPTY_DRAFT;
  }
  if (!isRecord(raw)) return EMPTY_DRAFT;
  const text = (name: string): string => {
    const value = raw[name];
    return typeof value === "string" ? value : "";
  };
  return {
    text: text("text"),
    project: text("project"),
    sourceKind: oneOf(SOURCE_KINDS, raw.sourceKind, "empty"),
    projectName: text("projectName"),
    gitUrl: text("gitUrl"),
    gitBranch: text("gitBranch"),
    path: text("path"),
    archive: readUploaded(raw.archive),
    mode: oneOf(MODES, raw.mode, "default"),
    model: text("model"),
    lifecycle: oneOf(LIFECYCLES, raw.lifecycle, "hydrated"),
    host: oneOf<HostKind | "">(HOST_KINDS, raw.host, ""),
    machineId: text("machineId"),
    size: oneOf(SANDBOX_SIZES, raw.size, DEFAULT_SANDBOX_SIZE),
    networkLevel: oneOf(NETWORK_LEVELS, raw.networkLevel, DEFAULT_NETWORK.level),
    networkHosts: Array.isArray(raw.networkHosts) ? raw.networkHosts.filter((host) => typeof host === "string") : [],
    hours: text("hours"),
    trust: typeof raw.trust === "boolean" ? raw.trust : null,
    budget: text("budget"),
    title: text("title"),
  };
}

/** The project that the form stands on: the chosen one if it still exists, else the newest, else a new one. */
export function chosenProject(draft: NewSessionDraft, projects: readonly ProjectBody[]): ProjectBody | null {
  if (draft.project === NEW_PROJECT) return null;
  const open = projects.filter((project) => project.archivedAt === null);
  return open.find((project) => project.projectId === draft.project) ?? open.toSorted((a, b) => b.createdAt - a.createdAt)[0] ?? null;
}

export type Problems = Partial<Record<"text" | "gitUrl" | "path" | "archive" | "budget" | "hours", string>>;

const BUDGET_MAX_USD = 10_000;
const BUDGET_MIN_USD = 0.01;

/** What must be put right before anything is sent. The server judges again. */
export function checkDraft(draft: NewSessionDraft, isNewProject: boolean): Problems {
  const problems: Problems = {};
  if (draft.text.trim() === "") problems.text = t.problems.prompt;
  if (isNewProject && draft.sourceKind === "git") {
    const problem = gitUrlProblem(draft.gitUrl.trim());
    if (problem !== null) problems.gitUrl = problem;
  }
  if (isNewProject && draft.sourceKind === "path" && !/^(\/|~\/|[A-Za-z]:\\)/.test(draft.path.trim())) problems.path = t.problems.path;
  if (isNewProject && draft.sourceKind === "archive" && draft.archive === null) problems.archive = t.problems.archive;
  if (draft.budget.trim() !== "") {
    const amount = Number(draft.budget);
    if (!(amount >= BUDGET_MIN_USD && amount <= BUDGET_MAX_USD)) problems.budget = t.problems.budget;
  }
  if (draft.hours.trim() !== "") {
    const hours = Number(draft.hours);
    if (!(hours >= MIN_MAX_HOURS && hours <= MAX_MAX_HOURS)) problems.hours = t.problems.hours;
  }
  return problems;
}

function gitUrlProblem(url: string): string | null {
  if (url === "") return t.problems.gitUrl;
  if (/^https?:\/\/[^/]*@/.test(url)) return t.problems.gitUrlPassword;
  return /^(https?:\/\/|ssh:\/\/|git@|file:\/\/|\/)\S+$/.test(url) ? null : t.problems.gitUrlForm;
}

export function projectRequest(draft: NewSessionDraft): ProjectCreate {
  const name = draft.projectName.trim();
  const common = { ...(name === "" ? {} : { name }), trustProject: draft.trust ?? false };
  switch (draft.sourceKind) {
    case "git":
      return { ...common, source: { kind: "git", url: draft.gitUrl.trim(), branch: draft.gitBranch.trim() || null } };
    case "archive": {
      if (draft.archive === null) throw new Error("an upload was not waited for");
      const { importId, format, name: fileName } = draft.archive;
      return { ...common, source: { kind: "archive", importId, format, name: fileName } };
    }
    case "path":
      return { ...common, source: { kind: "path", path: draft.path.trim() } };
    default:
      return { ...common, source: { kind: "empty" } };
  }
}

/** Whether the files are a folder of a machine, which no sandbox can open. */
export const needsMachine = (draft: NewSessionDraft, project: ProjectBody | null): boolean =>
  (project === null ? draft.sourceKind : project.source.kind) === "path";

export interface Offered {
  hasSandbox: boolean;
  /** Undefined until known. */
  machines: readonly Pick<MachineBody, "isOperator" | "isOnline">[] | undefined;
}

/** Where the session will run as the form stands; what was not chosen is as the server would choose it. */
export function hostKindOf(draft: NewSessionDraft, project: ProjectBody | null, { hasSandbox, machines }: Offered): HostKind {
  if (draft.machineId !== "" || draft.host === "machine" || needsMachine(draft, project)) return "machine";
  if (draft.host === "direct") return "direct";
  if (hasSandbox) return "sandbox";
  const hasMachine = machines?.some(({ isOperator, isOnline }) => isOperator && isOnline) ?? true;
  return hasMachine ? "machine" : "direct";
}

export interface ModelContext {
  /** Where answers come from unless the form says otherwise. */
  modelSource: ModelSource;
  /** The settings ask for it. */
  prefersDemo: boolean;
  /** The chosen host is the person's own machine, whose Claude login may answer. */
  isOwnMachine: boolean;
}

/** The model that the form stands on: a model's id, `default`, `demo` or `login`. */
export function chosenModel({ model }: Pick<NewSessionDraft, "model">, { modelSource, prefersDemo, isOwnMachine }: ModelContext): string {
  if (model !== "" && (model !== LOGIN_MODEL || isOwnMachine)) return model;
  if (isOwnMachine && !prefersDemo) return LOGIN_MODEL;
  return modelSource === "demo" ? DEMO_MODEL : "default";
}

export interface SessionContext {
  projectId: string;
  host: HostKind;
  promptId: string;
  /** As `chosenModel` says. */
  model: string;
  /** One's own machine takes only what this browser signs, which it does in the session: the prompt follows from there. */
  isOwnMachine: boolean;
}

/** The mode that the form stands on: a session on one's own machine begins with one that needs no signature. */
export const chosenMode = ({ mode }: Pick<NewSessionDraft, "mode">, isOwnMachine: boolean): Mode =>
  isOwnMachine && mode !== "plan" ? "default" : mode;

/** What a session is called before its first prompt is there. */
const MAX_TITLE_CHARS = 80;
const titleOf = (text: string): string => (text.trim().split("\n")[0] ?? "").trim().slice(0, MAX_TITLE_CHARS);

export function sessionRequest(draft: NewSessionDraft, { projectId, host, promptId, model, isOwnMachine }: SessionContext): SessionCreate {
  const source = model === DEMO_MODEL || model === LOGIN_MODEL ? model : null;
  const title = draft.title.trim() || (isOwnMachine ? titleOf(draft.text) : "");
  const budget = draft.budget.trim();
  return {
    projectId,
    ...(isOwnMachine ? {} : { prompt: { promptId, text: draft.text.trim() } }),
    mode: chosenMode(draft, isOwnMachine),
    model: source === null ? model : "default",
    modelSource: source ?? "key",
    lifecycle: draft.lifecycle,
    host,
    ...(host === "sandbox" ? sandboxRequest(draft) : {}),
    ...(title === "" ? {} : { title }),
    ...(host !== "machine" || draft.machineId === "" ? {} : { machineId: draft.machineId }),
    ...(budget === "" ? {} : { budgetUsd: Number(budget) }),
  };
}

function sandboxRequest(draft: NewSessionDraft): Pick<SessionCreate, "size" | "network" | "maxHours"> {
  const hours = draft.hours.trim();
  return {
    size: draft.size,
    network: { level: draft.networkLevel, hosts: draft.networkLevel === "custom" ? [...draft.networkHosts] : [] },
    ...(hours === "" ? {} : { maxHours: Number(hours) }),
  };
}

/** What is likely to be the same next time. */
export type Choices = Pick<
  NewSessionDraft,
  "mode" | "model" | "lifecycle" | "host" | "machineId" | "size" | "networkLevel" | "networkHosts" | "hours" | "budget"
>;

export function choicesOf(draft: NewSessionDraft): Choices {
  const { mode, model, lifecycle, host, machineId, size, networkLevel, networkHosts, hours, budget } = draft;
  return { mode, model, lifecycle, host, machineId, size, networkLevel, networkHosts, hours, budget };
}

/** What stays for the next session: the choices, not the words. */
export const afterStart = (draft: NewSessionDraft, projectId: string): NewSessionDraft => ({
  ...EMPTY_DRAFT,
  ...choicesOf(draft),
  project: projectId,
});
