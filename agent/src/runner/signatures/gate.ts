/**
 * The gate of a person's own machine: of what a session orders, only what a pinned browser signed gets through (SPEC SG). Every
 * order passes here first. Owns what is remembered of commands; knows neither the socket nor the agents. What only ends work, or
 * only makes it more careful, needs no signature.
 */
import type { ApprovalAnswer } from "@ai-dev-platform/protocol/approvals";
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import type { Mode } from "@ai-dev-platform/protocol/modes";
import type { RunnerConfig, RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import { judgeSigned, type Command, type CommandSignature, type MachineCommand } from "@ai-dev-platform/protocol/signing";
import { addPin, findPin, keyIdOf, removePin, signingMachineId } from "../../machine/pins/pin-store.ts";
import { hasPrompt, readMemory, seenOf, withPrompt, withSeen, writeMemory, type CommandMemory } from "./command-memory.ts";
import { refusalNotice, refusalProblem, type Refusal } from "./refusals.ts";
import type { Admitted, AuditCommand, GateReport } from "./admitted.ts";
import { isSigned } from "./verify.ts";

export interface GateOptions {
  /** The folder of the pins. */
  signing: string;
  sessionId: string;
  incarnation: number;
  now(): number;
  /** Throws when it cannot be written. */
  audit: AuditCommand;
}

type OrderOf<T extends RunnerOrderFrame["type"]> = Extract<RunnerOrderFrame, { type: T }>;
type Verdict = { ok: true; isAgain: boolean } | { ok: false; reason: Refusal };
/** What a command that is taken leaves in the memory. */
type Mark = (memory: CommandMemory) => CommandMemory;

const TAKEN: Verdict = { ok: true, isAgain: false };
const AGAIN: Verdict = { ok: true, isAgain: true };
/** They ask before anything is done, or do nothing. */
const CAREFUL: ReadonlySet<Mode> = new Set<Mode>(["default", "plan"]);
const DENIED: ApprovalAnswer = { decision: "deny", message: "Nobody allowed this." };
const REFUSED_ANSWER: ApprovalAnswer = { decision: "deny", message: "This machine refused the answer: it was not signed as it must be." };

export class SignatureGate {
  readonly #options: GateOptions;
  #memory: CommandMemory | null;
  #threads: readonly string[] = [MAIN_THREAD];
  /** Taken by this process: given again after a lost connection, it is known and not refused. */
  readonly #taken = new Set<string>();
  /** Refused and told; the session may order it again and again. */
  readonly #told = new Set<string>();

  constructor(options: GateOptions) {
    this.#options = options;
    this.#memory = readMemory(options.signing, options.sessionId);
  }

  admit(order: RunnerOrderFrame): Admitted {
    switch (order.type) {
      case "welcome":
        return this.#welcome(order);
      case "prompt":
        return this.#prompt(order);
      case "answer":
        return this.#answer(order);
      case "set_mode":
        return this.#setMode(order);
      case "set_model":
        return this.#setModel(order);
      case "machine_command":
        return this.#machineCommand(order);
      case "execute":
        return this.#refuseExecution(order);
      case "threads":
        this.#threads = order.threads.map(({ thread }) => thread);
        return { order: { ...order, threads: order.threads.map((info) => this.#plainThread(info)) }, reports: [] };
      default:
        return { order, reports: [] };
    }
  }

  /** Nobody signs programs for a person's own machine: it runs none. */
  #refuseExecution({ executionId }: OrderOf<"execute">): Admitted {
    this.#auditRefusal("execute", "unsigned", undefined, { executionId });
    return { order: null, reports: this.#once(executionId, { executionId, problem: refusalProblem("unsigned") }) };
  }

  #prompt(order: OrderOf<"prompt">): Admitted {
    const { promptId, thread, text, steer, turnId, signature } = order;
    const command = (delivery: "steer" | "queue"): Command => ({ kind: "prompt", promptId, thread, text, delivery });
    // One that came too late to steer is a turn of its own; one that was to wait never steers.
    const candidates = steer ? [command("steer")] : [command("queue"), command("steer")];
    const verdict = this.#take(candidates, signature, (memory) => withPrompt(memory, promptId, this.#options.now()));
    if (verdict.ok) return { order, reports: [] };
    const { reason } = verdict;
    this.#auditRefusal("prompt", reason, signature, { promptId, steer });
    if (steer) return { order: null, reports: this.#once(`steer ${promptId}`, { ...refused("a prompt", reason), thread, turnId }) };
    // What may have run before it was cut off is told as such: nobody knows how far it came.
    const outcome = reason === "replayed" ? "interrupted" : "failed";
    return { order: null, reports: this.#once(turnId, { thread, turnId, outcome, problem: refusalProblem(reason) }) };
  }

  #answer(order: OrderOf<"answer">): Admitted {
    const { approvalId, answer, signature } = order;
    // A denial without a signature is a time that ran out. The words of one would reach the agent: they are not taken over.
    if (signature === undefined && answer.decision === "deny" && this.#memory?.allowsCollaborators !== true)
      return { order: { ...order, answer: DENIED }, reports: [] };
    const verdict = this.#take([{ kind: "answer", approvalId, answer }], signature, withPlanMode(answer));
    if (verdict.ok) return { order, reports: [] };
    // Given to an earlier run: nobody asks it any more.
    if (verdict.reason === "replayed") return { order: null, reports: [] };
    this.#auditRefusal("answer", verdict.reason, signature, { approvalId });
    // The session has closed the question; the agent must not wait for ever.
    const report = refused("an answer, and denied what was asked", verdict.reason);
    return { order: { ...order, answer: REFUSED_ANSWER }, reports: this.#once(approvalId, report) };
  }

  #setMode(order: OrderOf<"set_mode">): Admitted {
    const { mode, signature } = order;
    if (signature === undefined && CAREFUL.has(mode)) return this.#careful(order);
    const verdict = this.#take([{ kind: "set_mode", mode }], signature, (memory) => ({ ...memory, modes: [mode] }), false);
    if (verdict.ok) return { order, reports: [] };
    const { reports } = this.#refuseSetting("a change of the mode", "set_mode", verdict.reason, signature);
    // The session's log says the refused one already: all go back to the mode that asks, and that is told.
    const told = this.#threads.map((thread): GateReport => ({ thread, turnId: null, mode: "default" }));
    return { order: { ...order, mode: "default" }, reports: [...reports, ...told] };
  }

  #careful(order: OrderOf<"set_mode">): Admitted {
    const memory = this.#memory;
    if (memory !== null && memory.modes.length > 0) this.#record(() => ({ ...memory, modes: [] }));
    return { order, reports: [] };
  }

  #setModel(order: OrderOf<"set_model">): Admitted {
    const verdict = this.#take([{ kind: "set_model", model: order.model }], order.signature, (memory) => memory);
    return verdict.ok ? { order, reports: [] } : this.#refuseSetting("a change of the model", "set_model", verdict.reason, order.signature);
  }

  #refuseSetting(what: string, kind: string, reason: Refusal, signature: CommandSignature | undefined): Admitted {
    this.#auditRefusal(kind, reason, signature, {});
    return { order: null, reports: [refused(what, reason)] };
  }

  #machineCommand({ command, signature }: OrderOf<"machine_command">): Admitted {
    if (command.kind === "pin_key" && keyIdOf(command.publicKey) !== command.keyId) return { order: null, reports: [] };
    const verdict = this.#take([command], signature, (memory) => this.#withMachineCommand(memory, command), false);
    // It is given anew at each start of the link until it expires.
    if (verdict.ok ? verdict.isAgain : verdict.reason === "replayed" || verdict.reason === "reordered") return { order: null, reports: [] };
    if (!verdict.ok) return this.#refuseSetting("a command for itself", command.kind, verdict.reason, signature);
    return { order: null, reports: [{ thread: null, turnId: null, notice: doneWords(command), isRefusal: false }] };
  }

  /** Pins change before the command is written down as taken: cut off between the two, it is given and done once more. */
  #withMachineCommand(memory: CommandMemory, command: MachineCommand): CommandMemory {
    const { signing, now } = this.#options;
    switch (command.kind) {
      case "pin_key":
        addPin(signing, { publicKey: command.publicKey, name: command.name, origin: "other_browser" }, now());
        return memory;
      case "unpin_key":
        removePin(signing, command.keyId);
        return memory;
      case "allow_collaborators":
        return { ...memory, allowsCollaborators: command.allowed };
    }
  }

  #welcome(order: OrderOf<"welcome">): Admitted {
    const { config } = order;
    const { mode, modeSignature } = config;
    this.#threads = config.threads?.map(({ thread }) => thread) ?? this.#threads;
    if (modeSignature !== undefined)
      this.#take([{ kind: "set_mode", mode }], modeSignature, (memory) => ({ ...memory, modes: [mode] }), false);
    const admitted = this.#permitted(mode);
    const mcpServers = config.mcpServers.filter(({ transport }) => transport !== "stdio");
    const threads = config.threads?.map((info) => this.#plainThread(info));
    const safe: RunnerConfig = { ...config, mode: admitted, mcpServers, ...(threads === undefined ? {} : { threads }) };
    return { order: { ...order, config: safe }, reports: this.#welcomeReports(config, safe) };
  }

  #welcomeReports(asked: RunnerConfig, given: RunnerConfig): GateReport[] {
    const commands = asked.mcpServers.length - given.mcpServers.length;
    const reports: GateReport[] = [];
    if (asked.mode !== given.mode) {
      const notice =
        "The mode of this session was not signed by a browser that your machine knows, so it asks before it acts. Set the mode again.";
      reports.push(...this.#once(`mode ${asked.mode}`, { thread: null, turnId: null, notice, isRefusal: true }));
      reports.push(...this.#once(`main ${asked.mode}`, { thread: MAIN_THREAD, turnId: null, mode: given.mode }));
    }
    for (const [index, { thread, mode }] of (asked.threads ?? []).entries()) {
      const counts = given.threads?.[index]?.mode ?? mode;
      if (counts !== mode) reports.push(...this.#once(`${thread} ${mode}`, { thread, turnId: null, mode: counts }));
    }
    if (commands > 0) {
      const notice = "Tool servers that are commands do not run on your machine on the session's word. Add them to Claude Code there.";
      reports.push(...this.#once("commands", { thread: null, turnId: null, notice, isRefusal: true }));
    }
    return reports;
  }

  /** A title is words of the session that every agent would read as its instructions. */
  #plainThread<T extends { thread: string; title: string; mode: Mode }>(info: T): T {
    return { ...info, title: info.thread, mode: this.#permitted(info.mode) };
  }

  #permitted(mode: Mode): Mode {
    return CAREFUL.has(mode) || this.#memory?.modes.includes(mode) === true ? mode : "default";
  }

  /** Judges, and has it on disk before it says yes. `others`: collaborators may do this, too. */
  #take(candidates: readonly Command[], signature: CommandSignature | undefined, mark: Mark, others = true): Verdict {
    const memory = this.#memory;
    if (memory === null) return { ok: false, reason: "not_recorded" };
    if (signature === undefined) return others && memory.allowsCollaborators ? TAKEN : { ok: false, reason: "unsigned" };
    const { signing, sessionId, incarnation, now } = this.#options;
    const { signature: _proof, ...unsigned } = signature;
    const pin = findPin(signing, signature.keyId);
    if (pin === null) return { ok: false, reason: "unknown_key" };
    const command = candidates.find((one) => isSigned(pin.publicKey, sessionId, signature, one));
    if (command === undefined) return { ok: false, reason: "bad_signature" };
    if (this.#taken.has(`${signature.keyId} ${signature.nonce}`)) return AGAIN;
    const here = { machineId: signingMachineId(signing) ?? "", incarnation, now: now() };
    const judged = judgeSigned(seenOf(memory, signature.keyId), unsigned, command, here);
    if (!judged.ok) return judged;
    if (command.kind === "prompt" && hasPrompt(memory, command.promptId)) return { ok: false, reason: "replayed" };
    const isKept = this.#record(() => mark(withSeen(memory, signature.keyId, judged.seen, here.now)), command, signature);
    if (!isKept) return { ok: false, reason: "not_recorded" };
    this.#taken.add(`${signature.keyId} ${signature.nonce}`);
    return TAKEN;
  }

  #record(next: () => CommandMemory, command?: Command, signature?: CommandSignature): boolean {
    const { signing, sessionId, audit } = this.#options;
    try {
      const memory = next();
      writeMemory(signing, sessionId, memory);
      this.#memory = memory;
      if (command !== undefined) audit("command_taken", { command: command.kind, keyId: signature?.keyId ?? null, ...namesOf(command) });
      return true;
    } catch {
      return false;
    }
  }

  #auditRefusal(command: string, reason: Refusal, signature: CommandSignature | undefined, names: Record<string, string | boolean>): void {
    try {
      this.#options.audit("command_refused", { command, reason, keyId: signature?.keyId ?? null, ...names });
    } catch {
      // It is refused all the same.
    }
  }

  #once(what: string, report: GateReport): GateReport[] {
    if (this.#told.has(what)) return [];
    this.#told.add(what);
    return [report];
  }
}

const refused = (what: string, reason: Refusal): Extract<GateReport, { isRefusal: boolean }> => ({
  thread: null,
  turnId: null,
  notice: refusalNotice(what, reason),
  isRefusal: true,
});

/** A plan that was approved with edits lets the agent edit, as its approval says. */
const withPlanMode =
  (answer: ApprovalAnswer): Mark =>
  (memory) =>
    answer.decision === "approve_plan" && answer.acceptEdits && !memory.modes.includes("acceptEdits")
      ? { ...memory, modes: [...memory.modes, "acceptEdits"] }
      : memory;

function namesOf(command: Command): Record<string, string> {
  if (command.kind === "prompt") return { promptId: command.promptId };
  if (command.kind === "answer") return { approvalId: command.approvalId };
  if (command.kind === "set_mode") return { mode: command.mode };
  return command.kind === "pin_key" || command.kind === "unpin_key" ? { target: command.keyId } : {};
}

function doneWords(command: MachineCommand): string {
  switch (command.kind) {
    case "pin_key":
      return `Your machine listens to one more browser now: ${command.name}.`;
    case "unpin_key":
      return "Your machine does not listen to that browser any more.";
    case "allow_collaborators":
      return command.allowed
        ? "Your machine takes prompts and answers of everybody who may drive this session, until you end that."
        : "Your machine takes prompts and answers of yours alone in this session.";
  }
}
