/** Answers that somebody is waiting for now. In memory: the waiting call itself keeps the object alive. */

export interface Reply {
  ok: boolean;
  code?: string | undefined;
  detail?: string | undefined;
}
export type Answer = { kind: "reply"; reply: Reply } | { kind: "timeout" } | { kind: "disconnected" };

export class Replies {
  readonly #open = new Map<string, (answer: Answer) => void>();

  wait(requestId: string, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(requestId, { kind: "timeout" }), timeoutMs);
      this.#open.set(requestId, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  settle(requestId: string, reply: Reply): void {
    this.#settle(requestId, { kind: "reply", reply });
  }

  disconnectAll(): void {
    for (const requestId of this.#open.keys()) this.#settle(requestId, { kind: "disconnected" });
  }

  #settle(requestId: string, answer: Answer): void {
    const resolve = this.#open.get(requestId);
    this.#open.delete(requestId);
    resolve?.(answer);
  }
}
