/** The end of a start: asked for by a signal, the closing of a window, or a server that stopped. Resolves once, with the exit code. */
export interface End {
  isOver: boolean;
  promise: Promise<number>;
  resolve(exitCode: number): void;
}

/** Signals count from the beginning on: one that comes while the platform starts must not leave it behind. */
export function untilSignalled(): End {
  const { promise, resolve } = Promise.withResolvers<number>();
  const end: End = {
    isOver: false,
    promise,
    resolve: (exitCode) => {
      end.isOver = true;
      resolve(exitCode);
    },
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => end.resolve(0));
  return end;
}

/** Of a server that ends by itself. */
export const explainExit = (lastWords: string): string => `The server stopped by itself. Its last words:\n${lastWords}`;
