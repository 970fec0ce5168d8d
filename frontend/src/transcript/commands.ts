/**
 * What the keyboard can do in the transcript, for whoever binds the keys. One transcript is on a screen at a time; the newest
 * one mounted answers.
 */
export type TranscriptCommand =
  | "next"
  | "previous"
  | "next_turn"
  | "previous_turn"
  | "toggle"
  | "toggle_turn"
  | "latest"
  | "copy_link"
  | "focus";

export interface TranscriptHandler {
  run(command: TranscriptCommand): boolean;
  /** Shows the entry with this seq, loading older history as needed. */
  jumpToSeq(seq: number): Promise<boolean>;
}

let current: TranscriptHandler | null = null;

/** Returns the undo. */
export function registerTranscript(handler: TranscriptHandler): () => void {
  current = handler;
  return () => {
    if (current === handler) current = null;
  };
}

/** False when no transcript is shown, or the command has nothing to act on. */
export const runTranscriptCommand = (command: TranscriptCommand): boolean => current?.run(command) ?? false;
export const jumpToSeq = (seq: number): Promise<boolean> => current?.jumpToSeq(seq) ?? Promise.resolve(false);

/** The key that means a command while the transcript itself has the focus. */
export function commandOfKey(key: string): TranscriptCommand | null {
  switch (key) {
    case "j":
      return "next";
    case "k":
      return "previous";
    case "]":
      return "next_turn";
    case "[":
      return "previous_turn";
    case "o":
      return "toggle_turn";
    case "y":
      return "copy_link";
    case "End":
    case "l":
      return "latest";
    default:
      return null;
  }
}
