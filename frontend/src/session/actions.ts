/** What a person can do in a session, as frames. Promises reject with `ActionError`. */
import type { ApprovalAnswer } from "@ai-dev-platform/protocol/approvals";
import type { Delivery } from "@ai-dev-platform/protocol/events";
import { MAX_HISTORY_PAGE } from "@ai-dev-platform/protocol/limits";
import type { Mode } from "@ai-dev-platform/protocol/modes";
import type { Query, QueryResult } from "@ai-dev-platform/protocol/queries";
import { newId } from "../api/new-id.ts";
import type { SessionCore } from "./core.ts";
import { actionError, type RequestFrame } from "./requests.ts";

export interface SessionActions {
  /** Returns the prompt's id; its fate is in the outbox, then in the transcript. */
  sendPrompt(text: string, delivery: Delivery): string;
  retryPrompt(promptId: string): void;
  discardPrompt(promptId: string): void;
  editPrompt(promptId: string, text: string): Promise<void>;
  movePrompt(promptId: string, position: number): Promise<void>;
  withdrawPrompt(promptId: string): Promise<void>;
  /** Ends the turn that is open now; without one there is nothing to stop. */
  stop(): Promise<void>;
  answer(approvalId: string, answer: ApprovalAnswer): Promise<void>;
  setMode(mode: Mode): Promise<void>;
  setModel(model: string): Promise<void>;
  setBudget(budgetUsd: number): Promise<void>;
  rename(title: string): Promise<void>;
  query(query: Query): Promise<QueryResult>;
  warm(): void;
  save(): Promise<void>;
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
      const turn = core.store.state.get()?.turn;
      if (turn != null) await tell({ type: "stop", turnId: turn.turnId });
    },
    answer: (approvalId, answer) => tell({ type: "answer", approvalId, answer }),
    query: async (query) => {
      const answer = await ask({ type: "query", query });
      if (answer.type !== "reply" || answer.result === undefined) throw actionError("internal");
      return answer.result;
    },
    warm: () => void core.socket.send({ type: "warm" }),
    save: () => tell({ type: "save" }),
    loadOlder: () => loadOlder(core, tell),
    reconnectNow: () => core.socket.input({ type: "wake" }),
    setToggle: (rowId, isOpen) => core.setToggle(rowId, isOpen),
  };
}

type Tell = (frame: WithoutId<RequestFrame>) => Promise<void>;

const promptActions = (core: SessionCore, tell: Tell) => ({
  sendPrompt: (text: string, delivery: Delivery) => {
    const promptId = newId("prompt");
    core.outbox.submit(promptId, text.trim(), delivery);
    return promptId;
  },
  retryPrompt: (promptId: string) => core.outbox.retry(promptId),
  discardPrompt: (promptId: string) => core.outbox.discard(promptId),
  editPrompt: (promptId: string, text: string) => tell({ type: "prompt_edit", promptId, text: text.trim() }),
  movePrompt: (promptId: string, position: number) => tell({ type: "prompt_move", promptId, position }),
  withdrawPrompt: (promptId: string) => tell({ type: "prompt_withdraw", promptId }),
});

const settingActions = (tell: Tell) => ({
  setMode: (mode: Mode) => tell({ type: "set_mode", mode }),
  setModel: (model: string) => tell({ type: "set_model", model }),
  setBudget: (budgetUsd: number) => tell({ type: "set_budget", budgetUsd }),
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
