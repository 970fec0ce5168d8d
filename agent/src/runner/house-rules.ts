/**
 * The machine's own policy around a runner's agents (SPEC LP2–LP5): what the session asked for is cut to what is allowed here,
 * each start and each prompt is judged at the time of use, and what was refused is told and audited. Without a policy (in a
 * sandbox) it lets all pass. Decisions are in machine/policy.ts and machine/rate.ts.
 */
import { realpathSync } from "node:fs";
import { rm, readdir } from "node:fs/promises";
import path from "node:path";
import type { Problem } from "@ai-dev-platform/protocol/events";
import type { Mode } from "@ai-dev-platform/protocol/modes";
import type { RunnerConfig } from "@ai-dev-platform/protocol/runner";
import { appendAudit, type AuditFields } from "../machine/audit.ts";
import { COMMAND_RATE } from "../machine/limits.ts";
import { applyPolicy, localRepositoryOf, mayUseMode, modeRefusal, type MachinePolicy, type Refusal } from "../machine/policy.ts";
import { judgeRate, NEVER } from "../machine/rate.ts";
import { isTrusted } from "../machine/trusted-folders.ts";
import type { Log } from "../output.ts";
import type { AgentOptions, AgentStart } from "./claude/agent.ts";
import { ownLoginEnvironment } from "./claude/environment.ts";
import { problemOf } from "./claude/outcome.ts";
import { loginProblem, OWN_CLAUDE_VARIABLE, type OwnLogin } from "./claude/own-login.ts";
import { OwnTranscripts } from "./claude/own-transcripts.ts";
import { cautiousGit } from "./workspace/git.ts";
import type { Workspace } from "./workspace/workspace.ts";

export interface HouseRulesPort {
  policy: MachinePolicy | undefined;
  machineName: string;
  sessionId: string;
  incarnation: number;
  stateDir: string;
  tell(refusal: Refusal): void;
  log: Log;
}

/** What an agent's folder may hold when it comes from a saved state: conversations, nothing that runs or allows. */
const CONVERSATION_FOLDERS = new Set(["projects", "file-history", "todos"]);
/** A login that was seen is believed for this long; one that ends meanwhile shows in the turn. */
const LOGIN_SEEN_MS = 10 * 60_000;

type StartAgent = (options: AgentOptions) => Promise<AgentStart>;

export class HouseRules {
  readonly #port: HouseRulesPort;
  #commands = NEVER;
  #login: OwnLogin | null = null;
  #loginSeenAt: number | null = null;
  #transcripts: OwnTranscripts | null = null;

  constructor(port: HouseRulesPort) {
    this.#port = port;
  }

  /** For the agents of this run; undefined: through the proxy. */
  get login(): OwnLogin | undefined {
    return this.#login ?? undefined;
  }

  /** Before anything is opened: why the session cannot be served here at all. */
  refusal(config: RunnerConfig): Problem | null {
    const { policy } = this.#port;
    if (config.modelSource === "login" && policy?.isOwn !== true) return problemOf("login_elsewhere", "");
    if (policy?.isOwn !== true) return null;
    const local = localRepositoryOf(config);
    if (local === null) return null;
    this.#audit("folder_refused", { folder: local });
    return problemOf("workspace_path_refused", "It is a repository on this machine: open its folder with ai-dev-agent connect --dir.");
  }

  /** The session's wishes as far as they are granted; what is not is told once it can be. */
  grant(config: RunnerConfig): RunnerConfig {
    const { policy } = this.#port;
    if (policy === undefined) return config;
    const { config: granted, refusals } = applyPolicy(config, policy);
    for (const refusal of refusals) this.#refuse(refusal);
    return granted;
  }

  /** For all agents of the session. */
  grantMode(mode: Mode, threads: readonly string[]): Mode {
    const { policy } = this.#port;
    if (policy === undefined || mayUseMode(mode, policy)) return mode;
    this.#refuse(modeRefusal(mode, threads));
    return "default";
  }

  /** The workspace is in place: whose settings count in it, and where its conversations lie. */
  async enter(workspace: Workspace, config: RunnerConfig): Promise<{ workspace: Workspace; config: RunnerConfig }> {
    if (this.#port.policy?.isOwn !== true) return { workspace, config };
    await keepConversations(workspace.claudeDir);
    const trustProject = config.trustProject && this.#isTrusted(workspace.root);
    if (config.trustProject && !trustProject)
      this.#refuse({
        code: "forbidden",
        text: `This machine does not trust ${workspace.root}, so the project's own hooks, tool servers and settings stay off. To change that, run there: ai-dev-agent trust add ${workspace.root}`,
        asked: `settings of ${workspace.root}`,
      });
    const entered = { ...config, trustProject };
    if (config.modelSource !== "login") return { workspace, config: entered };
    this.#login = { executable: process.env[OWN_CLAUDE_VARIABLE] || null };
    const ids = [config.agentSessionId ?? "", ...Object.values(config.agentSessionIds ?? {})];
    const transcripts = new OwnTranscripts(process.env, workspace.root, workspace.claudeDir, ids);
    this.#transcripts = transcripts;
    const kept = async <T>(work: () => Promise<T>): Promise<T> => {
      await transcripts.keep();
      return work();
    };
    const saving: Workspace = {
      ...workspace,
      hasChangedSinceSave: () => kept(() => workspace.hasChangedSinceSave()),
      save: (options) => kept(() => workspace.save(options)),
    };
    return { workspace: saving, config: entered };
  }

  /** Each start of an agent is judged anew: the folder may have become a link, its trust may be gone, the login too. */
  async startAgent(options: AgentOptions, start: StartAgent): Promise<AgentStart> {
    if (this.#port.policy?.isOwn !== true) return start(options);
    if (!isStillItself(options.root)) {
      this.#audit("folder_refused", { folder: options.root, detail: "it leads elsewhere now" });
      return failed(problemOf("workspace_path_refused", `${options.root} is not the folder any more that was opened.`));
    }
    const missing = await this.#loginProblem();
    if (missing !== null) return failed(missing);
    await this.#transcripts?.hand();
    const trustProject = options.trustProject && this.#isTrusted(options.root);
    // The agent looks at the repository by itself, before anybody is asked.
    const environment = trustProject ? {} : await cautiousGit(options.root);
    const onMessage: AgentOptions["onMessage"] = (message) => {
      if ("session_id" in message && message.session_id !== undefined) this.#transcripts?.note(message.session_id);
      options.onMessage(message);
    };
    return start({ ...options, trustProject, environment, onMessage });
  }

  /** Null: the prompt may go to the agent. */
  async mayPrompt(root: string): Promise<Problem | null> {
    if (this.#port.policy?.isOwn !== true) return null;
    const verdict = judgeRate(this.#commands, COMMAND_RATE, Date.now());
    if (!verdict.ok) {
      const { limit, windowMs } = COMMAND_RATE;
      this.#audit("command_refused", { code: "machine_limited" });
      const next = `the next in ${Math.ceil(verdict.retryAfterMs / 1_000)} s`;
      return problemOf("machine_limited", `At most ${limit} prompts in ${windowMs / 1_000} s; ${next}.`);
    }
    this.#commands = verdict.happened;
    if (!isStillItself(root)) {
      this.#audit("folder_refused", { folder: root, detail: "it leads elsewhere now" });
      return problemOf("workspace_path_refused", `${root} is not the folder any more that was opened.`);
    }
    const missing = await this.#loginProblem();
    if (missing === null) this.#audit("prompt_taken", {});
    return missing;
  }

  /** A model call was refused for want of a login: the next prompt asks again. */
  loginFailed(): void {
    this.#loginSeenAt = null;
  }

  async #loginProblem(): Promise<Problem | null> {
    const { stateDir, machineName } = this.#port;
    if (this.#login === null) return null;
    if (this.#loginSeenAt !== null && Date.now() - this.#loginSeenAt < LOGIN_SEEN_MS) return null;
    const { executable } = this.#login;
    const missing = await loginProblem(executable, ownLoginEnvironment(process.env), stateDir, machineName);
    this.#loginSeenAt = missing === null ? Date.now() : null;
    return missing;
  }

  #isTrusted(root: string): boolean {
    const dataDir = this.#port.policy?.dataDir ?? null;
    return dataDir !== null && isStillItself(root) && isTrusted(dataDir, root);
  }

  #refuse(refusal: Refusal): void {
    this.#audit(refusal.code, { asked: refusal.asked });
    this.#port.tell(refusal);
  }

  #audit(kind: string, fields: AuditFields): void {
    const { policy, sessionId, incarnation, log } = this.#port;
    log("info", kind, { ...fields });
    const dataDir = policy?.dataDir ?? null;
    if (dataDir !== null) appendAudit(dataDir, { kind, fields: { sessionId, incarnation, ...fields } });
  }
}

const failed = (problem: Problem): AgentStart => ({ ok: false, detail: problem.detail ?? problem.message, problem });

/** A root is a real path when it is opened; a link in its place leads somewhere else. */
function isStillItself(root: string): boolean {
  try {
    return realpathSync(root) === root;
  } catch {
    return false;
  }
}

/** A saved state comes from the server: hooks and permissions in it would be the server's word. */
async function keepConversations(claudeDir: string): Promise<void> {
  const names = await readdir(claudeDir).catch(() => []);
  const others = names.filter((name) => !CONVERSATION_FOLDERS.has(name));
  await Promise.all(others.map((name) => rm(path.join(claudeDir, name), { recursive: true, force: true })));
}
