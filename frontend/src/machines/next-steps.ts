/** What to do where a person's machine refused: in words, and as a command to run there. Pure. */
export interface NextStepWords {
  text: string;
  command?: string;
  /** Words for the machine's own program. */
  agent?: string;
}

const STEPS: Readonly<Record<string, NextStepWords>> = {
  command_refused: { text: "Settings, Machines shows how it gets to know this browser. Then send it again." },
  login_missing: { text: "Sign Claude in on that machine, then send the prompt again:", command: "claude auth login" },
  login_elsewhere: { text: "Move the session to the machine that has the login." },
  mode_refused: {
    text: "Choose another mode. To allow this one for good, start the machine with:",
    agent: "connect --allow-bypass",
  },
  workspace_path_refused: { text: "To trust a folder, run there, in that folder:", agent: "trust add ." },
  machine_stopped: { text: "To let it work again, run there:", agent: "resume" },
  machine_token_refused: { text: "To sign it in again, run there:", agent: "login" },
};

export const nextStep = (code: string): NextStepWords | null => (Object.hasOwn(STEPS, code) ? (STEPS[code] ?? null) : null);
