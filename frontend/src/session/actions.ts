/** What a person can do in a session, as frames. Promises reject with `ActionError`. */
import type { ApprovalAnswer } from "@ai-dev-platform/protocol/approvals";
import type { Delivery, RewindScope } from "@ai-dev-platform/protocol/events";
import { MAX_HISTORY_PAGE } from "@ai-dev-platform/protocol/limits";
import type { AllowScope, HostKind, Lifecycle, Mode, Network } from "@ai-dev-platform/protocol/modes";
import type { Query, QueryResult } from "@ai-dev-platform/protocol/queries";
import type { MachineCommand } from "@ai-dev-platform/protocol/signing";
import { newId } from "../api/new-id.ts";
import { toSignAgain } from "../signing/command-of.ts";
import type { SessionCore } from "./core.ts";
import { actionError, type RequestFrame } from "./requests.ts";
import { MAIN_THREAD_NAME, openTurns, threadOf } from "./threads.ts";

export interface SessionActions {
  /** To the thread that is shown, unless another is named. Returns the prompt's id; its fate is in the outbox, then in the transcript. */
  sendPrompt(text: string, delivery: Delivery, thread?: string): string;
  retryPrompt(promptId: string): void;
  discardPrompt(promptId: string): void;
  editPrompt(promptId: string, text: string): Promise<void>;
  movePrompt(promptId: string, position: number): Promise<void>;
  withdrawPrompt(promptId: string): Promise<void>;
  /** For the owner's own machine alone. Rejects where this browser cannot sign. */
  commandMachine(command: MachineCommand): Promise<void>;
  /** Ends the open turn of the thread that is shown; without one there is nothing to stop. */
  stop(): Promise<void>;
  /** Ends the open turns of all threads. */
  stopAll(): Promise<void>;
  /** Of what a program outside had started. */
  stopExecution(executionId: string): Promise<void>;
  answer(approvalId: string, answer: ApprovalAnswer): Promise<void>;
  setMode(mode: Mode): Promise<void>;
  setModel(model: string): Promise<void>;
  setBudget(budgetUsd: number): Promise<void>;
  setMaxHours(maxHours: number): Promise<void>;
  setLifecycle(lifecycle: Lifecycle): Promise<void>;
  setNetwork(network: Network): Promise<void>;
  allowHost(host: string, scope: AllowScope): Promise<void>;
  startThread(thread: string, title: string): Promise<void>;
  rename(title: string): Promise<void>;
  query(query: Query): Promise<QueryResult>;
  warm(): void;
  save(): Promise<void>;
  /** Back to a saved state. Settles when the session has agreed; the log tells when it is there. */
  rewind(snapshotId: string, scope: RewindScope): Promise<void>;
  /** To another host. Settles when the session has agreed; the log tells when it has moved. */
  setHost(host: HostKind, machineId: string | null): Promise<void>;
  loadOlder(): Promise<void>;
  reconnectNow(): void;
  /** Opens or closes a row by hand; remembered for this session. */
  setToggle(rowId: string, isOpen: boolean): void;
}

type WithoutId<T> = T extends unknown ? Omit<T, "requestId"> : never;

export function createActions(core: SessionCore): SessionActions {
  const ask = (frame: WithoutId<RequestFrame>) => core.ask({ ...frame, requestId: newId("request") });
  const tell = async (frame: WithoutId<RequestFrame>): Promise<void> => {
    await ask(frame);
  };
  return {
    ...promptActions(core, tell),
    ...settingActions(tell),
    stop: async () => {
      const state = core.store.state.get();
      const turn = state === null ? null : threadOf(state, core.store.thread.get()).turn;
      if (turn !== null) await tell({ type: "stop", turnId: turn.turnId });
    },
    stopAll: async () => {
      const state = core.store.state.get();
      const turnIds = state === null ? [] : openTurns(state).map(({ turnId }) => turnId);
      if (turnIds.length > 0) await tell({ type: "stop_all", turnIds });
    },
    stopExecution: (executionId) => tell({ type: "stop_execution", executionId }),
    answer: (approvalId, answer) => tell({ type: "answer", approvalId, answer }),
    query: async (query) => {
      const answer = await ask({ type: "query", query });
      if (answer.type !== "reply" || answer.result === undefined) throw actionError("internal");
      return answer.result;
    },
    commandMachine: async (command) => {
      const signature = await core.signer.sign(command);
      if (signature === null) throw actionError("command_refused");
      await tell({ type: "machine_command", command, signature });
    },
    warm: () => void core.socket.send({ type: "warm" }),
    save: () => tell({ type: "save" }),
    rewind: (snapshotId, scope) => tell({ type: "rewind", snapshotId, scope }),
    setHost: (host, machineId) => tell({ type: "set_host", host, machineId }),
    loadOlder: () => loadOlder(core, tell),
    reconnectNow: () => core.socket.input({ type: "wake" }),
    setToggle: (rowId, isOpen) => core.setToggle(rowId, isOpen),
  };
}

type Tell = (frame: WithoutId<RequestFrame>) => Promise<void>;

const promptActions = (core: SessionCore, tell: Tell) => ({
  sendPrompt: (text: string, delivery: Delivery, thread = core.store.thread.get()) => {
    const promptId = newId("prompt");
    core.outbox.submit({ promptId, text: text.trim(), delivery, ...(thread === MAIN_THREAD_NAME ? {} : { thread }) });
    return promptId;
  },
  retryPrompt: (promptId: string) => core.outbox.retry(promptId),
  discardPrompt: (promptId: string) => core.outbox.discard(promptId),
  editPrompt: async (promptId: string, text: string) => {
    await tell({ type: "prompt_edit", promptId, text: text.trim() });
    await signAgain(core, tell, promptId);
  },
  movePrompt: async (promptId: string, position: number) => {
    await tell({ type: "prompt_move", promptId, position });
    await signAgain(core, tell, promptId);
  },
  withdrawPrompt: (promptId: string) => tell({ type: "prompt_withdraw", promptId }),
});

/** A machine takes prompts in the order of their signatures: what changed places is signed anew, each with its own words. */
async function signAgain(core: SessionCore, tell: Tell, changedId: string): Promise<void> {
  const [state, viewer] = [core.store.state.get(), core.store.viewer.get()];
  if (state?.needsSignature !== true || viewer === null || viewer.userId === null) return;
  const waiting = toSignAgain(state.queue, changedId, viewer.userId);
  // One that was taken meanwhile keeps the signature that it was taken with.
  await Promise.all(waiting.map(({ promptId, text }) => tell({ type: "prompt_edit", promptId, text }).catch(() => undefined)));
}

const settingActions = (tell: Tell) => ({
  setMode: (mode: Mode) => tell({ type: "set_mode", mode }),
  setModel: (model: string) => tell({ type: "set_model", model }),
  setBudget: (budgetUsd: number) => tell({ type: "set_budget", budgetUsd }),
  setMaxHours: (maxHours: number) => tell({ type: "set_max_hours", maxHours }),
  setLifecycle: (lifecycle: Lifecycle) => tell({ type: "set_lifecycle", lifecycle }),
  setNetwork: (network: Network) => tell({ type: "set_network", network }),
  allowHost: (host: string, scope: AllowScope) => tell({ type: "allow_host", host, scope }),
  startThread: (thread: string, title: string) => tell({ type: "start_thread", thread, title: title.trim() }),
  rename: (title: string) => tell({ type: "rename", title: title.trim() }),
});

async function loadOlder(core: SessionCore, tell: Tell): Promise<void> {
  const { hasOlder, isLoading } = core.store.history.get();
  const beforeSeq = core.oldestSeq;
  if (!hasOlder || isLoading || beforeSeq === null) return;
  core.setHistoryLoading(true);
  try {
    await tell({ type: "history", beforeSeq, limit: MAX_HISTORY_PAGE });
  } finally {
    core.setHistoryLoading(false);
  }
}
